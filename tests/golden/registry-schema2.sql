BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0002');
CREATE TABLE annotation (
	id VARCHAR NOT NULL, 
	series_id VARCHAR NOT NULL, 
	object_id VARCHAR NOT NULL, 
	author VARCHAR NOT NULL, 
	role VARCHAR NOT NULL, 
	version VARCHAR, 
	generation INTEGER, 
	method VARCHAR, 
	parent_id VARCHAR, 
	review_state VARCHAR NOT NULL, 
	ingest INTEGER NOT NULL, 
	source VARCHAR, 
	PRIMARY KEY (id), 
	FOREIGN KEY(series_id) REFERENCES series (id), 
	FOREIGN KEY(parent_id) REFERENCES annotation (id)
);
INSERT INTO "annotation" VALUES('annotation-1','ser-0001','1111111111111111111111111111111111111111111111111111111111111111','given','unknown',NULL,NULL,NULL,NULL,'unreviewed',1,'1#1');
INSERT INTO "annotation" VALUES('annotation-2','ser-0001','1111111111111111111111111111111111111111111111111111111111111111','anna','reader',NULL,NULL,'MANUAL',NULL,'unreviewed',1,'1#1');
INSERT INTO "annotation" VALUES('annotation-3','ser-0001','1111111111111111111111111111111111111111111111111111111111111111','ben','reader',NULL,NULL,'MANUAL',NULL,'unreviewed',1,'1#1');
CREATE TABLE box (
	id INTEGER NOT NULL, 
	ingest INTEGER NOT NULL, 
	series_id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	label VARCHAR NOT NULL, 
	bounds TEXT NOT NULL, 
	source VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(series_id) REFERENCES series (id)
);
INSERT INTO "box" VALUES(1,1,'ser-0001','A','lesion','[0,1,0,2,0,3]','1#4');
CREATE TABLE claim (
	stage VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	holder VARCHAR NOT NULL, 
	PRIMARY KEY (stage, name)
);
CREATE TABLE declared_set (
	name VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	role VARCHAR NOT NULL, 
	label VARCHAR NOT NULL, 
	PRIMARY KEY (name, kind, value)
);
INSERT INTO "declared_set" VALUES('public','pixels','3333333333333333333333333333333333333333333333333333333333333333','train','line 1');
CREATE TABLE event (
	seq INTEGER NOT NULL, 
	at VARCHAR NOT NULL, 
	actor VARCHAR NOT NULL, 
	action VARCHAR NOT NULL, 
	object VARCHAR NOT NULL, 
	why VARCHAR NOT NULL, 
	fact VARCHAR, 
	run_id VARCHAR, 
	details TEXT, 
	previous VARCHAR NOT NULL, 
	hash VARCHAR NOT NULL, 
	PRIMARY KEY (seq)
);
INSERT INTO "event" VALUES(1,'2025-01-31T09:00:00.000+00:00','anna','added','subject/sub-0001','ingest 1','6be5b81ff31e65ca22cd889e6099f13b66e09b7ad11f1e5b091e9666034351ea',NULL,NULL,'0000000000000000000000000000000000000000000000000000000000000000','fbf31c1bc53d90b8baa49c7609b52923585c2cd27e92ea4461d3ab227668f440');
INSERT INTO "event" VALUES(2,'2025-01-31T09:00:00.000+00:00','anna','added','subject/sub-0002','ingest 1','3a45bcf28e4189dd34ee32d5064f2d6df15000e2a7a460ff22b57e8199651399',NULL,NULL,'fbf31c1bc53d90b8baa49c7609b52923585c2cd27e92ea4461d3ab227668f440','b316b034557ffec0b88f8de383344941f4fe34763d25d744d7f7eb777a4be43f');
INSERT INTO "event" VALUES(3,'2025-01-31T09:00:00.000+00:00','anna','added','timepoint/timepoint-1','ingest 1','f80069fcdcb4f9c000eac680deead7a63492622b2eeeaa54154e98bcc3811d53',NULL,NULL,'b316b034557ffec0b88f8de383344941f4fe34763d25d744d7f7eb777a4be43f','50da7b8d14845df04b54d421952f18530054d97896ab5576ab066af100d47ae9');
INSERT INTO "event" VALUES(4,'2025-01-31T09:00:00.000+00:00','anna','added','timepoint/timepoint-2','ingest 1','01b0055a0d621baeb635be19994a8ffa19376b072be3f9ed5fd1e4df4d332e4e',NULL,NULL,'50da7b8d14845df04b54d421952f18530054d97896ab5576ab066af100d47ae9','e8422679836b8c21c75a2dd1d8c80c0567a0da31d144f5dac28deea130627005');
INSERT INTO "event" VALUES(5,'2025-01-31T09:00:00.000+00:00','anna','added','series/ser-0001','ingest 1','53ab19bafe921f83404abd4149461409645efb70532a862e6eb3177cf828ff39',NULL,NULL,'e8422679836b8c21c75a2dd1d8c80c0567a0da31d144f5dac28deea130627005','490cc9e7e5ec18752f563ac710fa53ed937792b399007245fe743833ea9e63e7');
INSERT INTO "event" VALUES(6,'2025-01-31T09:00:00.000+00:00','anna','added','series/ser-0002','ingest 1','c8a42a9c13b22c776c3b881b0135408e8b8317a6946aac0990eb2d84084691d4',NULL,NULL,'490cc9e7e5ec18752f563ac710fa53ed937792b399007245fe743833ea9e63e7','2c3dc831e2c2aa346ace8d3cfe37903921bff7d16f7880ae2c8d971d7bdb39ee');
INSERT INTO "event" VALUES(7,'2025-01-31T09:00:00.000+00:00','anna','added','annotation/annotation-1','ingest 1','7991da6bf37678eda6afd96ed49849f08768aebf5b955bbc1b1f17b808f4bede',NULL,NULL,'2c3dc831e2c2aa346ace8d3cfe37903921bff7d16f7880ae2c8d971d7bdb39ee','81c5139af34e274e589fea98f4260f8b1f5632ba381ace1bcbf8eab501d546fd');
INSERT INTO "event" VALUES(8,'2025-01-31T09:00:00.000+00:00','anna','added','annotation/annotation-2','ingest 1','581495a2a65060b53555c26db2538f94a509a374d1507627465d27574d56bbf9',NULL,NULL,'81c5139af34e274e589fea98f4260f8b1f5632ba381ace1bcbf8eab501d546fd','ae64287d8b0d22c92aef2e2d1a7b3dbf3ebc1ec00e187e1df594102ed1fa5182');
INSERT INTO "event" VALUES(9,'2025-01-31T09:00:00.000+00:00','anna','added','annotation/annotation-3','ingest 1','cf2314d818780c0d3dc13b1a22d8d4ca3e93f81651776b0f3889cf8850af583c',NULL,NULL,'ae64287d8b0d22c92aef2e2d1a7b3dbf3ebc1ec00e187e1df594102ed1fa5182','6e848f2b5966325c35cf90a99423160577e746afde47b35f6389aaa843931ee2');
INSERT INTO "event" VALUES(10,'2025-01-31T09:00:00.000+00:00','anna','added','finding/1','ingest 1','043f1571310e59a4f8a7d23f2c4c7139ac63b14396292c2e910f17988b48c90d',NULL,NULL,'6e848f2b5966325c35cf90a99423160577e746afde47b35f6389aaa843931ee2','3cf2338abd1bb72e628a4806b8039db9f3da16d95852f551c6070e83ffc15832');
INSERT INTO "event" VALUES(11,'2025-01-31T09:00:00.000+00:00','anna','added','finding/2','ingest 1','9dbae4ea0d17fd0b9211b9dcd82ada812830bbcc8b07243becb476d510bddcaf',NULL,NULL,'3cf2338abd1bb72e628a4806b8039db9f3da16d95852f551c6070e83ffc15832','5888f5e0d62fcd4d8d2d0d2cb2fbe7d801ee3f6d1189cd54596ebe745665754a');
INSERT INTO "event" VALUES(12,'2025-01-31T09:00:00.000+00:00','anna','added','box/1','ingest 1','6adb7c3c6091c202f1a2b7c8d6252012a4d0cf751cefe5faaa8f812059ad21d4',NULL,NULL,'5888f5e0d62fcd4d8d2d0d2cb2fbe7d801ee3f6d1189cd54596ebe745665754a','4032a083fe200ab2fca24ee5b36d37511feaa9871905164923eb80151226e050');
INSERT INTO "event" VALUES(13,'2025-01-31T09:00:00.000+00:00','anna','added','timepoint/timepoint-3','ingest 2','16db7da3c54138b2460d6c1a2ce3bed676d1f6d88ce295e83cb3f04570f4238b',NULL,NULL,'4032a083fe200ab2fca24ee5b36d37511feaa9871905164923eb80151226e050','43c28530c320df251aa73d8b858885eedbbe39a0f95d3f6dad7392562a9274cd');
INSERT INTO "event" VALUES(14,'2025-01-31T09:00:00.000+00:00','anna','changed','timepoint/timepoint-1','an earlier scan came in','38683bcf3d050be316dc894de1e95c91f9a06636e4497067ededac2c7e253813',NULL,NULL,'43c28530c320df251aa73d8b858885eedbbe39a0f95d3f6dad7392562a9274cd','e67b25abac06697b24101c8dad7b7c69f7f4c3e3d9d27b808a9e6ab8fdac485e');
INSERT INTO "event" VALUES(15,'2025-01-31T09:00:00.000+00:00','anna','added','series/ser-0003','ingest 2','ab227a3e76b785ca938fa34a92feaa52eac6480044443912c7f4135bc493fa56',NULL,NULL,'e67b25abac06697b24101c8dad7b7c69f7f4c3e3d9d27b808a9e6ab8fdac485e','9b9bc6e059647385b24e93e659d6d2ca9df4e5ae3c1307134d6d46861062805c');
INSERT INTO "event" VALUES(16,'2025-01-31T09:00:00.000+00:00','anna','started','run/run-1','','fbad53cfc035334ea5e1a0cae5d1f4813b930415e0be06b1b3e56b0a7adfd362',NULL,NULL,'9b9bc6e059647385b24e93e659d6d2ca9df4e5ae3c1307134d6d46861062805c','9ae3097b53d99b5adb0d7cc86669f5a513485cbe97fcc42e6710d67a9b76b840');
INSERT INTO "event" VALUES(17,'2025-01-31T09:00:00.000+00:00','anna','done','unit/measure/ser-0001','','f9fdad89da5cadc401104d74b33c4e25fe683eeb58724938504e61ec4f6966cf',NULL,NULL,'9ae3097b53d99b5adb0d7cc86669f5a513485cbe97fcc42e6710d67a9b76b840','e97facb73aa2c81a3c59a34fd9f329936ea92414c389e4b893be30404c67deb4');
INSERT INTO "event" VALUES(18,'2025-01-31T09:00:00.000+00:00','anna','failed','unit/measure/ser-0002','','bd7f1e30c268e5947351c1f82c35d297e1cfa7224874478b2fb1efdefd3632af',NULL,NULL,'e97facb73aa2c81a3c59a34fd9f329936ea92414c389e4b893be30404c67deb4','79216fd994b0973152ce6370b519a0d3a3ff3f9962acac344810d4d5d54d60cb');
INSERT INTO "event" VALUES(19,'2025-01-31T09:00:00.000+00:00','anna','done','unit/measure/ser-0001','','909b275c9bf6976d08bd16e301e674284d7a03c1aed750d63a95945259f3e752','run-1',NULL,'79216fd994b0973152ce6370b519a0d3a3ff3f9962acac344810d4d5d54d60cb','388e196b7eaeef6b1d218ea6f990234a6f6aab81eaa6b30aac3ab8af41fe5ea8');
INSERT INTO "event" VALUES(20,'2025-01-31T09:00:00.000+00:00','anna','forgotten','unit/measure/ser-0002','tried again',NULL,NULL,NULL,'388e196b7eaeef6b1d218ea6f990234a6f6aab81eaa6b30aac3ab8af41fe5ea8','49d75a2033056916b74e359d33663bf9887b01aa6c46d4e883f02adb9bb44a6a');
INSERT INTO "event" VALUES(21,'2025-01-31T09:00:00.000+00:00','anna','added','review/review-1','read','3aa765ad228e8e381995fe2fc3bfe590f6b5cdab623cd778ed3431dda2778af6',NULL,NULL,'49d75a2033056916b74e359d33663bf9887b01aa6c46d4e883f02adb9bb44a6a','d4552e142c01b161201802cdbb5f3c09a301b93e0c69072b0d71191f740ac1af');
INSERT INTO "event" VALUES(22,'2025-01-31T09:00:00.000+00:00','anna','added','lesion/lesion-1','read','e5cb6f4e32e30f659c663a99ec2bf2bd17b8d05db5767450bffea603c4585d94',NULL,NULL,'d4552e142c01b161201802cdbb5f3c09a301b93e0c69072b0d71191f740ac1af','235fb489410bf6e5ca7e7720b7dd22591b68ab259ed184f48ac67e15666d6871');
INSERT INTO "event" VALUES(23,'2025-01-31T09:00:00.000+00:00','anna','added','track/track-1','read','98bc5b2a33a61e6c5a0a4e74ec7da81e8c18ec4420b4ebd03efc1603e6ef1165',NULL,NULL,'235fb489410bf6e5ca7e7720b7dd22591b68ab259ed184f48ac67e15666d6871','cf2052e3a7d46c635a12aa8972b77b6f5e0e77bf95bb5d7a4d01664291080fed');
INSERT INTO "event" VALUES(24,'2025-01-31T09:00:00.000+00:00','anna','added','split/main/sub-0001','read','ba87a821463d583f17f3bd038870424c0c6d1cfdfc82275cc54b24403e30f618',NULL,NULL,'cf2052e3a7d46c635a12aa8972b77b6f5e0e77bf95bb5d7a4d01664291080fed','66f4d0d13cc48edac41c8d74374b054cb82c881b7eed4168f11c279d3c4876cd');
INSERT INTO "event" VALUES(25,'2025-01-31T09:00:00.000+00:00','anna','added','split/main/sub-0002','read','cdf6218234fb86faca2a6330e3483f123caa5160e55d0e972703d25fc8b51b98',NULL,NULL,'66f4d0d13cc48edac41c8d74374b054cb82c881b7eed4168f11c279d3c4876cd','0d35581c114ff973a9cebfaa31ca3efb3b88380d6fa73f9aaf6729e1c7dbfe8d');
INSERT INTO "event" VALUES(26,'2025-01-31T09:00:00.000+00:00','anna','added','declared_set/public/pixels/3333333333333333333333333333333333333333333333333333333333333333','read','392ff9171d12360a9262f7fa07b1ccc9ae46fd04233758effc033ef3ac5c624d',NULL,NULL,'0d35581c114ff973a9cebfaa31ca3efb3b88380d6fa73f9aaf6729e1c7dbfe8d','8c90577e98d36af32bb3322505e38d70797a8465107745448b14d3225ac1c6d7');
INSERT INTO "event" VALUES(27,'2025-01-31T09:00:00.000+00:00','anna','removed','split/main/sub-0002','taken out',NULL,NULL,NULL,'8c90577e98d36af32bb3322505e38d70797a8465107745448b14d3225ac1c6d7','d7fcfaf6a3ab1e4fd635759947615f1923dce13a10a3724afa5ea88df94a9f9a');
CREATE TABLE finding (
	id INTEGER NOT NULL, 
	ingest INTEGER NOT NULL, 
	source VARCHAR NOT NULL, 
	series_id VARCHAR, 
	code VARCHAR NOT NULL, 
	outcome VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	hint VARCHAR NOT NULL, 
	instances INTEGER NOT NULL, 
	by_rule BOOLEAN NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(series_id) REFERENCES series (id)
);
INSERT INTO "finding" VALUES(1,1,'1#1','ser-0001','odd','warned','½ odd','',1,0);
INSERT INTO "finding" VALUES(2,1,'1#2',NULL,'torn','left_out','torn','copy it again',1,0);
CREATE TABLE head (
	id INTEGER NOT NULL, 
	seq INTEGER NOT NULL, 
	hash VARCHAR NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "head" VALUES(1,27,'d7fcfaf6a3ab1e4fd635759947615f1923dce13a10a3724afa5ea88df94a9f9a','2025-01-31T09:00:00.000+00:00');
CREATE TABLE lesion (
	id VARCHAR NOT NULL, 
	subject_id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	label VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(subject_id) REFERENCES subject (id)
);
INSERT INTO "lesion" VALUES('lesion-1','sub-0001','A','lesion');
CREATE TABLE meta (
	"key" VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('schema','2');
INSERT INTO "meta" VALUES('ingests','2');
CREATE TABLE review (
	id VARCHAR NOT NULL, 
	annotation_id VARCHAR NOT NULL, 
	reader VARCHAR NOT NULL, 
	verdict VARCHAR NOT NULL, 
	likert INTEGER, 
	comment VARCHAR NOT NULL, 
	seconds FLOAT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(annotation_id) REFERENCES annotation (id)
);
INSERT INTO "review" VALUES('review-1','annotation-2','anna','accepted',4,'',12.0);
CREATE TABLE run (
	id VARCHAR NOT NULL, 
	stage VARCHAR NOT NULL, 
	stage_version INTEGER NOT NULL, 
	section TEXT NOT NULL, 
	code_version VARCHAR NOT NULL, 
	code_digest VARCHAR NOT NULL, 
	cluster VARCHAR NOT NULL, 
	actor VARCHAR NOT NULL, 
	started_at VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "run" VALUES('run-1','measure',1,'{"label":null}','1.0','2222222222222222222222222222222222222222222222222222222222222222','none','anna','2020-01-31');
CREATE TABLE series (
	id VARCHAR NOT NULL, 
	number INTEGER NOT NULL, 
	ingest INTEGER NOT NULL, 
	subject_id VARCHAR NOT NULL, 
	timepoint_id VARCHAR NOT NULL, 
	study_uid VARCHAR NOT NULL, 
	series_uid VARCHAR NOT NULL, 
	frame_uid VARCHAR, 
	modality VARCHAR NOT NULL, 
	quantity VARCHAR NOT NULL, 
	region VARCHAR NOT NULL, 
	subset VARCHAR NOT NULL, 
	shape TEXT NOT NULL, 
	spacing_mm TEXT NOT NULL, 
	affine TEXT NOT NULL, 
	technical TEXT NOT NULL, 
	suv_factor FLOAT, 
	suv_reason VARCHAR NOT NULL, 
	object_id VARCHAR NOT NULL, 
	pixel_hash VARCHAR, 
	source VARCHAR NOT NULL, 
	outcome VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (number), 
	FOREIGN KEY(subject_id) REFERENCES subject (id), 
	FOREIGN KEY(timepoint_id) REFERENCES timepoint (id), 
	UNIQUE (series_uid)
);
INSERT INTO "series" VALUES('ser-0001',1,1,'sub-0001','timepoint-1','2.25.1','2.25.2.1',NULL,'CT','hu','thorax','train','[2,3,4]','[2.0,0.7,0.7]','[1.0,0.0,0.0,-1.5]','{"KVP":120,"Ärzte":"½"}',NULL,'not a PET','0000000000000000000000000000000000000000000000000000000000000000',NULL,'1#0','ingested');
INSERT INTO "series" VALUES('ser-0002',2,1,'sub-0002','timepoint-2','2.25.1','2.25.2.2',NULL,'CT','hu','thorax','train','[2,3,4]','[2.0,0.7,0.7]','[1.0,0.0,0.0,-1.5]','{"KVP":120,"Ärzte":"½"}',NULL,'not a PET','0000000000000000000000000000000000000000000000000000000000000000',NULL,'1#0','ingested');
INSERT INTO "series" VALUES('ser-0003',3,2,'sub-0001','timepoint-3','2.25.1','2.25.2.3',NULL,'CT','hu','thorax','train','[2,3,4]','[2.0,0.7,0.7]','[1.0,0.0,0.0,-1.5]','{"KVP":120,"Ärzte":"½"}',1.5,'not a PET','0000000000000000000000000000000000000000000000000000000000000000',NULL,'2#1','ingested');
CREATE TABLE source_instance (
	series_id VARCHAR NOT NULL, 
	k INTEGER NOT NULL, 
	sop_uid VARCHAR NOT NULL, 
	PRIMARY KEY (series_id, k), 
	FOREIGN KEY(series_id) REFERENCES series (id)
);
INSERT INTO "source_instance" VALUES('ser-0001',0,'2.25.11');
INSERT INTO "source_instance" VALUES('ser-0001',1,'2.25.12');
INSERT INTO "source_instance" VALUES('ser-0003',0,'2.25.30');
INSERT INTO "source_instance" VALUES('ser-0003',1,'2.25.31');
INSERT INTO "source_instance" VALUES('ser-0003',2,'2.25.32');
INSERT INTO "source_instance" VALUES('ser-0003',3,'2.25.33');
INSERT INTO "source_instance" VALUES('ser-0003',4,'2.25.34');
INSERT INTO "source_instance" VALUES('ser-0003',5,'2.25.35');
INSERT INTO "source_instance" VALUES('ser-0003',6,'2.25.36');
INSERT INTO "source_instance" VALUES('ser-0003',7,'2.25.37');
INSERT INTO "source_instance" VALUES('ser-0003',8,'2.25.38');
INSERT INTO "source_instance" VALUES('ser-0003',9,'2.25.39');
INSERT INTO "source_instance" VALUES('ser-0003',10,'2.25.310');
INSERT INTO "source_instance" VALUES('ser-0003',11,'2.25.311');
CREATE TABLE split (
	name VARCHAR NOT NULL, 
	subject_id VARCHAR NOT NULL, 
	part VARCHAR NOT NULL, 
	fold INTEGER, 
	origin VARCHAR NOT NULL, 
	seed BIGINT, 
	PRIMARY KEY (name, subject_id), 
	FOREIGN KEY(subject_id) REFERENCES subject (id)
);
INSERT INTO "split" VALUES('main','sub-0001','train',1,'drawn',1099511627776);
CREATE TABLE subject (
	id VARCHAR NOT NULL, 
	number INTEGER NOT NULL, 
	identity_hash VARCHAR NOT NULL, 
	sex VARCHAR, 
	age INTEGER, 
	is_from_file BOOLEAN NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (number), 
	UNIQUE (identity_hash)
);
INSERT INTO "subject" VALUES('sub-0001',1,'0000000000000000000000000000000000000000000000000000000000000001',NULL,NULL,0);
INSERT INTO "subject" VALUES('sub-0002',2,'0000000000000000000000000000000000000000000000000000000000000002',NULL,NULL,1);
CREATE TABLE tally (
	name VARCHAR NOT NULL, 
	n INTEGER NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "tally" VALUES('annotation',3);
INSERT INTO "tally" VALUES('box',1);
INSERT INTO "tally" VALUES('finding:left_out',1);
INSERT INTO "tally" VALUES('finding:warned',1);
INSERT INTO "tally" VALUES('series',3);
INSERT INTO "tally" VALUES('series_of_several_readers',1);
INSERT INTO "tally" VALUES('subject',2);
INSERT INTO "tally" VALUES('timepoint',3);
INSERT INTO "tally" VALUES('run',1);
INSERT INTO "tally" VALUES('unit:measure:done',1);
INSERT INTO "tally" VALUES('unit:measure:failed',0);
INSERT INTO "tally" VALUES('declared_set',1);
INSERT INTO "tally" VALUES('lesion',1);
INSERT INTO "tally" VALUES('review',1);
INSERT INTO "tally" VALUES('split',1);
INSERT INTO "tally" VALUES('track',1);
CREATE TABLE timepoint (
	id VARCHAR NOT NULL, 
	subject_id VARCHAR NOT NULL, 
	number INTEGER NOT NULL, 
	study_date VARCHAR, 
	name VARCHAR, 
	version INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(subject_id) REFERENCES subject (id)
);
INSERT INTO "timepoint" VALUES('timepoint-1','sub-0001',1,'2020-01-31',NULL,2);
INSERT INTO "timepoint" VALUES('timepoint-2','sub-0002',0,NULL,NULL,1);
INSERT INTO "timepoint" VALUES('timepoint-3','sub-0001',0,'2019-01-31',NULL,1);
CREATE TABLE track (
	id VARCHAR NOT NULL, 
	lesion_id VARCHAR NOT NULL, 
	from_series_id VARCHAR, 
	from_lesion INTEGER, 
	to_series_id VARCHAR, 
	to_lesion INTEGER, 
	relation VARCHAR NOT NULL, 
	reader VARCHAR, 
	PRIMARY KEY (id), 
	FOREIGN KEY(lesion_id) REFERENCES lesion (id), 
	FOREIGN KEY(from_series_id) REFERENCES series (id), 
	FOREIGN KEY(to_series_id) REFERENCES series (id)
);
INSERT INTO "track" VALUES('track-1','lesion-1','ser-0003',1,'ser-0001',2,'same',NULL);
CREATE TABLE unit (
	stage VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	"key" VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	output TEXT, 
	code VARCHAR, 
	reason VARCHAR, 
	hint VARCHAR, 
	inputs TEXT, 
	model TEXT, 
	seed BIGINT, 
	run_id VARCHAR, 
	version INTEGER NOT NULL, 
	PRIMARY KEY (stage, name), 
	FOREIGN KEY(run_id) REFERENCES run (id)
);
INSERT INTO "unit" VALUES('measure','ser-0001','l','done','{"n":1}',NULL,NULL,NULL,NULL,NULL,1099511627776,'run-1',2);
CREATE INDEX ix_claim_holder ON claim (holder);
CREATE INDEX ix_event_object ON event (object);
CREATE INDEX ix_lesion_subject_id ON lesion (subject_id);
CREATE INDEX ix_unit_state ON unit (state, stage, name);
CREATE INDEX ix_source_instance_sop_uid ON source_instance (sop_uid);
CREATE INDEX ix_finding_outcome ON finding (outcome, id);
CREATE INDEX ix_finding_series_id ON finding (series_id);
CREATE INDEX ix_annotation_series_id ON annotation (series_id);
CREATE INDEX ix_box_series_id ON box (series_id);
CREATE INDEX ix_track_lesion_id ON track (lesion_id);
CREATE INDEX ix_review_annotation_id ON review (annotation_id);
CREATE TRIGGER event_no_update BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'rows of event are never changed'); END;
CREATE TRIGGER event_no_delete BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'rows of event are never changed'); END;
CREATE TRIGGER event_no_replace BEFORE INSERT ON event WHEN EXISTS (SELECT 1 FROM event WHERE seq = NEW.seq) BEGIN SELECT RAISE(ABORT, 'rows of event are never changed'); END;
CREATE TRIGGER annotation_no_update BEFORE UPDATE ON annotation BEGIN SELECT RAISE(ABORT, 'rows of annotation are never changed'); END;
CREATE TRIGGER annotation_no_delete BEFORE DELETE ON annotation BEGIN SELECT RAISE(ABORT, 'rows of annotation are never changed'); END;
CREATE TRIGGER annotation_no_replace BEFORE INSERT ON annotation WHEN EXISTS (SELECT 1 FROM annotation WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'rows of annotation are never changed'); END;
CREATE TRIGGER review_no_update BEFORE UPDATE ON review BEGIN SELECT RAISE(ABORT, 'rows of review are never changed'); END;
CREATE TRIGGER review_no_delete BEFORE DELETE ON review BEGIN SELECT RAISE(ABORT, 'rows of review are never changed'); END;
CREATE TRIGGER review_no_replace BEFORE INSERT ON review WHEN EXISTS (SELECT 1 FROM review WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'rows of review are never changed'); END;
CREATE TRIGGER lesion_no_update BEFORE UPDATE ON lesion BEGIN SELECT RAISE(ABORT, 'rows of lesion are never changed'); END;
CREATE TRIGGER lesion_no_delete BEFORE DELETE ON lesion BEGIN SELECT RAISE(ABORT, 'rows of lesion are never changed'); END;
CREATE TRIGGER lesion_no_replace BEFORE INSERT ON lesion WHEN EXISTS (SELECT 1 FROM lesion WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'rows of lesion are never changed'); END;
CREATE TRIGGER track_no_update BEFORE UPDATE ON track BEGIN SELECT RAISE(ABORT, 'rows of track are never changed'); END;
CREATE TRIGGER track_no_delete BEFORE DELETE ON track BEGIN SELECT RAISE(ABORT, 'rows of track are never changed'); END;
CREATE TRIGGER track_no_replace BEFORE INSERT ON track WHEN EXISTS (SELECT 1 FROM track WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'rows of track are never changed'); END;
CREATE TRIGGER source_instance_no_update BEFORE UPDATE ON source_instance BEGIN SELECT RAISE(ABORT, 'rows of source_instance are never changed'); END;
CREATE TRIGGER source_instance_no_delete BEFORE DELETE ON source_instance BEGIN SELECT RAISE(ABORT, 'rows of source_instance are never changed'); END;
CREATE TRIGGER source_instance_no_replace BEFORE INSERT ON source_instance WHEN EXISTS (SELECT 1 FROM source_instance WHERE series_id = NEW.series_id AND k = NEW.k) BEGIN SELECT RAISE(ABORT, 'rows of source_instance are never changed'); END;
COMMIT;
