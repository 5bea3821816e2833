"""Logos from outside: a PNG is read and written anew, of an SVG only what draws is kept.

What reaches the database is what this module made, never the bytes that were sent.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from io import BytesIO
from xml.etree import ElementTree as ET  # nosec B405 - _svg() refuses what could do harm before it parses

import typst
from PIL import Image, UnidentifiedImageError

from costs.models import Logo

MOST_BYTES = 512 * 1024
MOST_PIXELS = 4000  # of either side, as sent
SHOWN_PIXELS = (1200, 600)  # what print needs
_SVG = "{http://www.w3.org/2000/svg}"


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ELEMENTS = _names(
    "svg g path rect circle ellipse line polyline polygon text tspan title desc defs linearGradient radialGradient "
    "stop clipPath mask"
)
_PAINT = _names(
    "fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-linecap stroke-linejoin stroke-miterlimit "
    "stroke-dasharray stroke-dashoffset opacity clip-path clip-rule mask stop-color stop-opacity font-family font-size "
    "font-weight font-style letter-spacing text-anchor"
)
_ATTRIBUTES = _PAINT | _names(
    "id viewBox preserveAspectRatio width height x y x1 y1 x2 y2 cx cy r rx ry fx fy dx dy d points transform offset "
    "gradientUnits gradientTransform spreadMethod clipPathUnits maskUnits maskContentUnits"
)
# A reference within the picture is the only one that a value may hold.
_OWN_REFERENCE = re.compile(r"url\(\s*['\"]?#([\w.-]+)['\"]?\s*\)")
_DEEPEST, _MOST_ELEMENTS = 50, 5000
_MOST_DRAWN = 4 * _MOST_ELEMENTS  # with masks and clipping paths, drawn again wherever something refers to them


class LogoRefusedError(Exception):
    """The text is for the person who sent it."""


def read_logo(content: bytes) -> Logo:
    """A logo, not yet stored, of a file as it was sent; raises LogoRefusedError."""
    if len(content) > MOST_BYTES:
        raise LogoRefusedError(f"The logo is larger than {MOST_BYTES // 1024} kB.")
    if content.startswith(b"\x89PNG\r\n"):
        return Logo(kind=Logo.Kind.PNG, content=_png(content))
    svg = _svg(content)
    _draw(svg)
    return Logo(kind=Logo.Kind.SVG, content=svg)


def _png(content: bytes) -> bytes:
    try:
        with Image.open(BytesIO(content), formats=["PNG"]) as sent:
            if max(sent.size) > MOST_PIXELS:  # before a pixel is unpacked
                raise LogoRefusedError(f"The logo has more than {MOST_PIXELS} pixels on a side.")
            picture = sent.convert("RGBA")
            picture.info.clear()  # colour profiles and the like
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise LogoRefusedError("This PNG can't be read. Save it anew and try again.") from None
    picture.thumbnail(SHOWN_PIXELS)
    written = BytesIO()
    picture.save(written, "PNG", optimize=True)
    return written.getvalue()


def _svg(content: bytes) -> bytes:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise LogoRefusedError("Send the logo as PNG or SVG.") from None
    # What a document type could declare – entities, other files – is nothing that a picture needs.
    declared = text.upper().count("<!DOCTYPE")
    if declared or "<!ENTITY" in text.upper():
        if declared == 1:  # the pattern would look through the rest of the file after each
            text = re.sub(r"<!DOCTYPE\s[^\[>]*>", "", text, count=1, flags=re.IGNORECASE)
        if "<!DOCTYPE" in text.upper() or "<!ENTITY" in text.upper():
            raise LogoRefusedError("This SVG declares entities. Save it as plain SVG and try again.")
    try:
        # As text it has no encoding of its own to hide in.
        root = ET.fromstring(text)  # noqa: S314  # nosec B314 - without a document type there are no entities
    except (ET.ParseError, ValueError):
        raise LogoRefusedError("Send the logo as PNG or SVG.") from None
    if root.tag != f"{_SVG}svg":
        raise LogoRefusedError("Send the logo as PNG or SVG.")
    if sum(1 for _each in root.iter()) > _MOST_ELEMENTS:
        raise LogoRefusedError(f"This SVG has more than {_MOST_ELEMENTS:,} elements.")
    ET.register_namespace("", "http://www.w3.org/2000/svg")
    kept = _kept(root, 1)
    _refuse_endless(kept)
    return ET.tostring(kept, encoding="unicode").encode()


def _refuse_endless(root: ET.Element) -> None:
    """Masks that refer to masks draw a few elements a million times, or for ever."""
    by_id = defaultdict(list)  # two may have the same
    for element in root.iter():
        by_id[element.get("id")].append(element)
    waiting, drawn = [root], 0
    while waiting:
        element = waiting.pop()
        drawn += 1
        if drawn > _MOST_DRAWN:
            raise LogoRefusedError("The masks or clipping paths of this SVG refer to one another too often.")
        waiting += element
        named = _OWN_REFERENCE.findall(f"{element.get('mask', '')} {element.get('clip-path', '')}")
        waiting += [each for name in named for each in by_id[name]]


def _draw(svg: bytes) -> None:
    """A picture without a size, for example, would keep every statement from being printed."""
    source = b"#image(bytes(json(bytes(sys.inputs.logo))))"
    try:
        typst.compile(source, sys_inputs={"logo": json.dumps(svg.decode())}, ignore_system_fonts=True)
    except typst.TypstError:
        raise LogoRefusedError("This SVG can't be drawn. Give it a width and a height, and try again.") from None


def _kept(element: ET.Element, depth: int) -> ET.Element:
    """The element with those attributes and children that draw."""
    if depth > _DEEPEST:
        raise LogoRefusedError("This SVG is nested too deeply.")
    made = ET.Element(element.tag, _attributes(element))
    made.text, made.tail = element.text, element.tail
    for child in element:
        if isinstance(child.tag, str) and child.tag.removeprefix(_SVG) in _ELEMENTS and child.tag.startswith(_SVG):
            made.append(_kept(child, depth + 1))
    return made


def _attributes(element: ET.Element) -> dict[str, str]:
    styled = [part.partition(":") for part in element.get("style", "").split(";")]
    paint = {name.strip(): value.strip() for name, _colon, value in styled if name.strip() in _PAINT}
    found = {name: value for name, value in element.attrib.items() if name in _ATTRIBUTES} | paint
    return {name: value for name, value in found.items() if _is_harmless(value)}


def _is_harmless(value: str) -> bool:
    rest = _OWN_REFERENCE.sub("", value).lower()
    return "url" not in rest and "\\" not in rest and ":" not in rest and "@" not in rest
