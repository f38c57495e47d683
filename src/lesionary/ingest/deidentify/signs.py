"""Words that tell what the number beside them is: a length, a date, an age, an identifier."""

from lesionary.ingest.deidentify.vocabulary import folded

# fmt: off
UNITS = frozenset({
    "MM", "CM", "UM", "ML", "CC", "MS", "MSEC", "S", "SEC", "SECS", "MIN", "MINS", "HZ", "KHZ",
    "MHZ", "KV", "KVP", "MA", "MAS", "KEV", "MEV", "MBQ", "GBQ", "KBQ", "BQ", "MCI", "CGY", "GY",
    "MGY", "MSV", "HU", "T", "TESLA", "DEG", "DEGREE", "DEGREES", "PPM", "MMOL", "PX", "PIX",
    "VOX", "X", "D", "CH", "MM2", "MM3",
})
"""Units, and what stands behind a number like one: ``3D``, ``8CH``, ``2X``."""

LARGE_UNITS = frozenset({"MS", "MSEC", "MAS", "HZ", "HU", "MBQ", "ML", "CGY", "KBQ"})
"""Units of which there may be thousands."""

PARAMETERS = frozenset({
    "TE", "TI", "TR", "TD", "KV", "KVP", "MA", "MAS", "KEV", "W", "L", "C", "WW", "WL", "WC", "FA",
    "ASIR", "ST", "SL", "FOV", "DFOV", "NEX", "DELAY", "T", "B",
})
"""What stands before three digits: ``TE100``. Behind anything else they are an identifier."""

MONTHS = frozenset(folded(
    "jan january januar janvier janv enero ene gennaio gen januari janeiro styczen stycznia "
    "feb february februar fevrier fevr febrero febbraio februari fevereiro fev luty lutego "
    "mar march marz maerz mars marzo maart mrt marco marzec marca mrz "
    "apr april avril avr abril abr aprile kwiecien kwietnia "
    "may mai mayo maggio mag mei maio maj maja "
    "jun june juni juin junio giugno giu junho czerwiec czerwca "
    "jul july juli juillet juil julio luglio lug julho lipiec lipca "
    "aug august aout agosto ago augustus sierpien sierpnia "
    "sep sept september septembre septiembre settembre set setembro wrzesien wrzesnia "
    "oct october oktober okt octobre octubre ottobre ott outubro out pazdziernik pazdziernika "
    "nov november novembre noviembre novembro listopad listopada "
    "dec december dezember dez decembre diciembre dicembre dic dezembro grudzien grudnia"
).split())
"""Months in the languages of the list, some of which are words of this field too."""

YEARS = frozenset({
    "Y", "YO", "YR", "YRS", "YOA", "YOF", "YOM", "YF", "YM", "YEAR", "YEARS", "YEAROLD", "J",
    "JAHR", "JAHRE", "JAHRIG", "JAHRIGE", "JAHRIGER", "A", "AN", "ANS", "ANNI", "ANNO", "ANO",
    "ANOS", "LAT", "ROK", "JAAR", "JARIGE",
})
"""Years in the languages of the list, and what stands for them behind an age."""

SEXES = frozenset({
    "F", "M", "W", "FEMALE", "MALE", "WOMAN", "MAN", "LADY", "GENTLEMAN", "FRAU", "MANN",
    "WEIBLICH", "MANNLICH", "FEMME", "HOMME", "DONNA", "UOMO", "MUJER", "HOMBRE", "MULHER",
    "HOMEM", "VROUW", "KOBIETA", "AGE", "AGED", "ALTER", "EDAD", "IDADE", "ETA", "WIEK", "LEEFTIJD",
})
"""What stands beside an age that nothing else calls one."""

LABELS = frozenset({
    "MRN", "MRNO", "MRNR", "SN", "SSN", "ID", "IDS", "PID", "UID", "PATID", "PATIENTID", "NHS",
    "ACC", "ACCN", "ACCNO", "ACCESSION", "TEL", "PHONE", "FON", "FAX", "MOBILE", "ROOM", "ZIMMER",
    "PLZ", "ZIP", "DOB", "BORN", "BIRTH", "BIRTHDATE", "BIRTHDAY", "GEB", "GEBOREN", "NEE", "NATO",
    "NATA", "NASC", "NACIDO", "NACIDA", "DDN", "DATE", "DATETIME",
    "DATUM", "FECHA", "FALLNR", "GPS", "LON", "LATITUDE", "LONGITUDE",
})
"""Behind these a number is somebody's, or somebody's date, with a unit or not."""

NUMERALS = frozenset(folded(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety "
    "hundred thousand first second third fourth fifth sixth seventh eighth ninth tenth eleventh "
    "twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth "
    "thirtieth null eins zwei drei vier funf fuenf sechs sieben acht neun zehn elf zwolf zwoelf "
    "hundert tausend erster zweiter dritter ersten zweiten dritten un une deux trois quatre cinq "
    "sept huit neuf dix onze douze cent mille premier uno due tre quattro cinque sei sette otto "
    "nove dieci cento primo dos tres cuatro cinco seis siete ocho nueve diez ciento mil primero "
    "um dois quatro sete oito dez cem primeiro een twee drie vijf zes zeven negen tien honderd "
    "eerste jeden dwa trzy cztery piec szesc siedem osiem dziewiec dziesiec sto tysiac "
    "1st 2nd 3rd 4th 5th 6th 7th 8th 9th"
).split())
"""Numbers in words, in the languages of the list: a row of them is a number, or a year."""

VOLUMES = frozenset({
    "GTV", "CTV", "PTV", "ITV", "IGTV", "ICTV", "GTVP", "GTVN", "CTVP", "CTVN", "PTVP", "PTVN",
})
"""Volumes of a plan, behind which the dose stands in cGy: ``PTV_6600``."""

INTRODUCING = frozenset({
    "BY", "PATIENT", "PATIENTIN", "PATIENTE", "PACIENTE", "PAZIENTE", "RADIOLOGIST", "OPERATOR",
    "REF", "REFERRED", "CONTACT", "VIA",
})
"""Who is named behind these: of words that are names too, none stays there."""

CALENDAR = frozenset({
    "WEEK", "WEEKS", "WK", "KW", "WOCHE", "WOCHEN", "SEMAINE", "SEMANA", "SETTIMANA", "TYDZIEN",
})
"""Behind these two digits are a week of the year, of which a date is told."""

COUNTERS = CALENDAR | {
    "NO", "NR", "NUM", "NUMBER", "NUMMER", "NUMERO", "PATIENT", "PATIENTIN", "PAT", "CASE", "FALL",
}
"""As behind a label, but one digit behind them only counts: ``lesion no 2``, ``week 8``."""
# fmt: on
