"""Wall and organs of the trunk as parts to paint, from outside in."""

import numpy as np

from lesionary.phantoms.canvas import Field, Points
from lesionary.phantoms.noise import Float32Array, SmoothNoise
from lesionary.phantoms.shapes import (
    beyond,
    both,
    bounds_of,
    either,
    ellipsoid,
    outside,
    shell,
    shrunk,
    turn,
)
from lesionary.phantoms.torso import (
    GALLBLADDER,
    HEART,
    HEART_TURN,
    Part,
    below_diaphragm,
    body,
    cavity,
    diaphragm_mm,
    gallbladder,
    heart,
    kidneys,
    liver,
    lungs,
    muscle,
    sided,
    spine_block,
    spleen,
)


def _textured(mean_hu: float, texture: SmoothNoise) -> Field:
    return lambda p: np.float32(mean_hu) + p.noise(texture)


def trunk_wall(rng: np.random.Generator) -> list[Part]:
    """Skin, fat, muscle, and the fat that fills the cavity."""
    fat = SmoothNoise.draw(rng, 16, 7.0)
    marbling = SmoothNoise.draw(rng, 24, 1.0)

    def muscle_hu(p: Points) -> Float32Array:
        strands = np.clip(p.noise(marbling) - np.float32(1.0), 0, 1)
        out: Float32Array = np.float32(60) - np.float32(75) * strands
        return out

    hollow = outside(cavity(), by_mm=-8)
    wall = both(muscle(), hollow)
    return [
        Part("skin", body(), 15.0, 0.4),
        Part("fat", both(shrunk(body(), 2.2), hollow), _textured(-106, fat), 0.3),
        Part("muscle", wall, muscle_hu, 0.7),
        *_shoulder_fat(fat),
        Part("inner wall", both(shell(shrunk(cavity(), -9), 9), muscle()), 56.0, 0.7),
        Part("visceral fat", cavity(), _textured(-100, fat), 0.4),
    ]


def _shoulder_fat(texture: SmoothNoise) -> list[Part]:
    """Fat in the armpits and between the muscles of the shoulder."""
    parts = []
    for side in (-1.0, 1.0):
        armpit = ellipsoid(
            (side * 140, 22, 142), (13, 38, 50), turned=turn(z=side * 24, y=side * 6)
        )
        under_chest = ellipsoid((side * 92, -72, 152), (56, 3.6, 46), turned=turn(z=side * 36))
        under_blade = ellipsoid((side * 122, 62, 120), (48, 3.4, 70), turned=turn(z=side * -52))
        shape = both(either(armpit, under_chest, under_blade), shrunk(body(), 3))
        bounds = (sided(side, 30, 175), (-120.0, 110.0), (40.0, 215.0))
        parts.append(Part("shoulder fat", shape, _textured(-98, texture), 0.3, bounds, 2.5))
    return parts


def lung_parts(rng: np.random.Generator) -> list[Part]:
    """Diaphragm and lungs: denser towards the back, where blood pools."""
    mottle = SmoothNoise.draw(rng, 17, 9.0) + SmoothNoise.draw(rng, 60, 9.0)

    def hu(p: Points) -> Float32Array:
        return np.float32(-868) + np.float32(0.30) * p.y + p.noise(mottle)

    muscle = both(shrunk(cavity(), -1), lambda p: 2.6 - np.abs(diaphragm_mm(p) + 2.0))
    return [
        Part("diaphragm", muscle, 55.0, 0.8),
        Part("lungs", lungs(), hu, 0.45),
    ]


def heart_parts() -> list[Part]:
    """Heart with its chambers, and the fat around it."""
    centre, _ = HEART
    wide = bounds_of(centre, (80.0, 80.0, 80.0))
    at = np.array(centre)

    def chamber(offset: tuple[float, float, float], size: tuple[float, float, float]) -> Field:
        x, y, z = at + HEART_TURN @ np.array(offset)
        return ellipsoid((float(x), float(y), float(z)), size, turned=HEART_TURN)

    left = chamber((18, 13, -4), (40, 20, 23))
    right = both(chamber((10, -19, -4), (45, 19, 33)), outside(left, by_mm=10))
    return [
        Part("epicardial fat", heart(4), -92.0, 0.5, wide),
        Part("myocardium", heart(-1), 104.0, 6.5, wide),
        Part("left ventricle", left, 152.0, 1.8, wide, 3.0),
        Part("right ventricle", right, 150.0, 1.8, wide, 3.0),
        Part("left atrium", chamber((-40, 19, 6), (22, 19, 28)), 154.0, 1.8, wide, 3.0),
        Part("right atrium", chamber((-40, -20, -4), (23, 20, 31)), 148.0, 1.8, wide, 3.0),
    ]


def bowel_parts(rng: np.random.Generator) -> list[Part]:
    """Loops of small bowel and a colon with gas, before the organs that cover them."""
    one, two = SmoothNoise.draw(rng, 62, 1.0), SmoothNoise.draw(rng, 62, 1.0)
    haustra, stool = SmoothNoise.draw(rng, 26, 3.5), SmoothNoise.draw(rng, 9, 130.0)

    def loops(p: Points) -> Float32Array:
        tube = np.float32(0.72) - np.sqrt(np.square(p.noise(one)) + np.square(p.noise(two)))
        out: Float32Array = tube * 16
        return out

    belly = both(
        ellipsoid((0, -20, -215), (116, 62, 128), power=3),
        shrunk(cavity(), 7),
        outside(spine_block(), by_mm=14),
    )
    bowel = both(loops, belly)
    colon = either(
        ellipsoid((-98, 8, -190), (24, 25, 78), power=2.6),
        ellipsoid((104, 22, -150), (20, 21, 84), power=2.6),
        ellipsoid((8, -66, -152), (100, 16, 18), power=2.6, turned=turn(y=10)),
        ellipsoid((98, -40, -76), (22, 24, 46), power=2.4, turned=turn(x=-24)),
    )

    def colon_wall(p: Points) -> Float32Array:
        out: Float32Array = np.minimum(colon(p) + p.noise(haustra), shrunk(cavity(), 3)(p))
        return out

    def stool_hu(p: Points) -> Float32Array:
        out: Float32Array = np.clip(np.float32(-120) + p.noise(stool), -500, 70)
        return out

    low = ((-130.0, 130.0), (-100.0, 70.0), (-360.0, -20.0))
    gas = both(shrunk(colon_wall, 3.2), lambda p: 22 * p.noise(one) - p.y - np.float32(18))
    return [
        Part("bowel wall", bowel, 78.0, 1.4, low, 3.0),
        Part("bowel content", shrunk(bowel, 3.0), 22.0, 0.9, low, 3.0),
        Part("colon wall", colon_wall, 62.0, 1.2, low, 3.0),
        Part("colon content", shrunk(colon_wall, 3.0), stool_hu, 0.8, low, 3.0),
        Part("colon gas", gas, -985.0, 0.2, low, 3.0),
    ]


def organ_parts(rng: np.random.Generator) -> list[Part]:
    """Solid organs and the stomach, front ones last."""
    parenchyma = SmoothNoise.draw(rng, 14, 3.5)
    liver_box = ((-150.0, 90.0), (-100.0, 100.0), (-150.0, 60.0))
    left_box = ((10.0, 150.0), (-100.0, 100.0), (-130.0, 60.0))
    kidney_box = ((-100.0, 100.0), (5.0, 85.0), (-200.0, -60.0))
    psoas = [
        ellipsoid((s * 42, 56, -250), (25, 22, 160), turned=turn(y=s * 5)) for s in (-1.0, 1.0)
    ]
    stomach = both(
        below_diaphragm(),
        either(
            ellipsoid((56, 4, -28), (42, 44, 56), turned=turn(x=12)),
            ellipsoid((26, -48, -84), (62, 26, 28), turned=turn(y=24)),
        ),
        outside(spleen(), by_mm=3),
    )
    lumen = shrunk(stomach, 4.5)
    sinus = either(
        ellipsoid((-43, 36, -136), (15, 12, 30), turned=turn(z=28)),
        ellipsoid((43, 36, -120), (15, 12, 30), turned=turn(z=-28)),
    )
    pelvis = either(ellipsoid((-36, 32, -138), (9, 7, 13)), ellipsoid((36, 32, -122), (9, 7, 13)))
    pancreas = either(
        ellipsoid((22, -4, -92), (52, 12, 12), turned=turn(z=14, y=-12)),
        ellipsoid((-26, -10, -106), (17, 14, 26)),
    )
    adrenals = either(
        *(
            ellipsoid((x, 34, -92), (3.0, 17, 15), turned=turn(z=angle))
            for x, angle in ((-34.0, 8.0), (34.0, -30.0), (30.0, 24.0))
        )
    )
    return [
        Part("adrenals", adrenals, 72.0, 1.4, ((-60.0, 60.0), (10.0, 60.0), (-115.0, -70.0)), 2.0),
        Part("psoas", either(*psoas), 62.0, 0.8, ((-90.0, 90.0), (20.0, 90.0), (-410.0, -90.0))),
        Part(
            "pancreas",
            pancreas,
            _textured(88, parenchyma),
            1.4,
            bounds_of((0, -5, -98), (80, 40, 40)),
            3.0,
        ),
        Part("kidney cortex", kidneys(), 188.0, 4.0, kidney_box, 3.0),
        Part(
            "kidney medulla",
            both(shrunk(kidneys(), 8), outside(sinus)),
            160.0,
            3.5,
            kidney_box,
            3.0,
        ),
        Part("renal sinus", sinus, -75.0, 1.0, kidney_box, 3.0),
        Part("renal pelvis", pelvis, 20.0, 9.0, kidney_box, 3.0),
        Part("stomach wall", stomach, 80.0, 1.6, left_box, 3.0),
        Part("stomach content", lumen, 18.0, 0.9, left_box, 3.0),
        Part(
            "stomach gas", both(lumen, beyond((0, -1, 0), (0, -30, 0))), -990.0, 0.2, left_box, 3.0
        ),
        Part("spleen", spleen(), _textured(122, parenchyma), 1.7, left_box),
        Part("liver", liver(), _textured(108, parenchyma), 2.1, liver_box),
        Part(
            "gallbladder",
            gallbladder(),
            9.0,
            0.5,
            bounds_of(GALLBLADDER[0], (30, 30, 30)),
            2.5,
        ),
    ]
