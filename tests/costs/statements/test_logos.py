"""What is let in as a logo, and what of it is kept."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image, PngImagePlugin

from costs.models import Logo
from costs.statements.logos import MOST_BYTES, LogoRefusedError, read_logo

SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 10 10">{}</svg>'


def png(width: int = 20, height: int = 10) -> bytes:
    """With a text in it, which no picture needs."""
    told = PngImagePlugin.PngInfo()
    told.add_text("comment", "<script>alert(1)</script>")
    written = BytesIO()
    Image.new("RGBA", (width, height), "#0f766e").save(written, "PNG", pnginfo=told)
    return written.getvalue()


def chained(element: str, reference: str, *, depth: int = 6) -> bytes:
    """An SVG of sixty elements, of which each refers ten times to the next: ten to the sixth to draw."""
    links = [
        f'<{element} id="a{number}">' + f'<rect width="9" height="9" {reference}="url(#a{number + 1})"/>' * 10
        for number in range(depth)
    ]
    drawn = f"</{element}>".join(links) + f'</{element}><rect width="9" height="9" {reference}="url(#a0)"/>'
    return SVG.format(drawn).encode()


def kept(inner: str) -> str:
    return bytes(read_logo(SVG.format(inner).encode()).content).decode()


def test_png_is_written_anew() -> None:
    """Its pixels are kept, whatever else came with them is not."""
    logo = read_logo(png() + b"PK\x03\x04 something behind it")

    assert logo.kind == Logo.Kind.PNG
    content = bytes(logo.content)
    assert Image.open(BytesIO(content)).size == (20, 10)
    assert b"script" not in content
    assert b"something" not in content


def test_colour_profile_of_a_png_is_not_kept() -> None:
    """It is bytes of whoever made the file, which nobody reads on the way."""
    written = BytesIO()
    Image.new("RGB", (20, 10)).save(written, "PNG", icc_profile=b"whatever somebody wrote there")

    content = bytes(read_logo(written.getvalue()).content)

    assert Image.open(BytesIO(content)).info == {}


def test_large_png_is_made_smaller() -> None:
    """To what print needs, in its proportions."""
    assert Image.open(BytesIO(bytes(read_logo(png(3000, 300)).content))).size == (1200, 120)


@pytest.mark.parametrize(
    "content",
    [
        png()[:40],
        b"\x89PNG\r\n\x1a\n" + b"0" * 100,
        b"GIF89a",
        b"<html><script>alert(1)</script></html>",
        b"<svg><path d='M0 0'/></svg>",  # of no namespace
        b"\xff\xfe<\x00s\x00v\x00g\x00",
        b"",
        SVG.format("").encode() + b" " * MOST_BYTES,
        png(4001, 1),
        SVG.format("<g>" * 60 + "</g>" * 60).encode(),
        SVG.format("<g/>" * 5001).encode(),
        b'<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + SVG.format("<title>&b;</title>").encode(),
        b'<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + SVG.format("<title>&a;</title>").encode(),
        b'<!doctype svg SYSTEM "http://evil.example/x.dtd" []>' + SVG.format("").encode(),
        b'<?xml version="1.0" encoding="utf-7"?>+ADw-svg/+AD4-',
        b"<!DOCTYPE " * 50_000,  # each of which would be looked through to the end
        b'<svg xmlns="http://www.w3.org/2000/svg" width="0" height="0"/>',  # no PDF could be made with it
        b'<svg xmlns="http://www.w3.org/2000/svg" width="-5" height="5"/>',
        chained("mask", "mask"),
        chained("clipPath", "clip-path"),
        SVG.format('<mask id="a"><rect mask="url(#a)"/></mask><rect mask="url(#a)"/>').encode(),
    ],
)
def test_what_is_no_logo_is_refused(content: bytes) -> None:
    """Broken, too large, another kind of file, or with something declared that a picture does not need."""
    with pytest.raises(LogoRefusedError):
        read_logo(content)


def test_svg_of_a_drawing_program_is_kept() -> None:
    """With its usual document type, its styles as attributes, and its gradients."""
    head = '<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/x.dtd">'
    drawn = SVG.format(
        '<defs><linearGradient id="a"><stop offset="0" stop-color="#fff"/></linearGradient></defs>'
        '<path d="M0 0h9" style="fill:url(#a);stroke:#000" transform="scale(2)"/><text x="1">Ä</text>'
    )

    content = bytes(read_logo((head + drawn).encode()).content).decode()

    assert '<path d="M0 0h9" transform="scale(2)" fill="url(#a)" stroke="#000" />' in content
    assert '<stop offset="0" stop-color="#fff" />' in content
    assert ">Ä</text>" in content
    assert "DOCTYPE" not in content


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        '<path d="M0 0" onclick="alert(1)"/>',
        '<image href="http://evil.example/x.png"/>',
        '<image xlink:href="file:///etc/passwd"/>',
        '<use href="#a"/>',
        "<foreignObject><p xmlns='http://www.w3.org/1999/xhtml'>evil</p></foreignObject>",
        "<style>@import url(http://evil.example/x.css)</style>",
        '<path d="M0 0" fill="url(http://evil.example/#x)"/>',
        '<path d="M0 0" style="fill:url(http://evil.example/#x)"/>',
        '<path d="M0 0" fill="u&#114;l(//evil.example)"/>',
        '<path d="M0 0" fill="\\75rl(//evil.example)"/>',
        '<a href="javascript:alert(1)"><path d="M0 0"/></a>',
        '<animate attributeName="href" values="javascript:alert(1)"/>',
        '<set attributeName="onmouseover" to="alert(1)"/>',
        "<!-- evil --><?xml-stylesheet href='evil.css'?>",
        '<script xmlns="http://www.w3.org/1999/xhtml">alert(1)</script>',
        '<g xmlns:e="evil"><e:path d="M0 0"/></g>',
    ],
)
def test_nothing_that_runs_or_leads_away_is_kept(evil: str) -> None:
    """By an allow-list: what is not known to draw is not there."""
    content = kept(f'{evil}<rect width="1"/>')

    assert '<rect width="1" />' in content
    for word in ("evil", "alert", "script", "href", "file:", "import", "onclick", "<use", "<image", "<a", "animate"):
        assert word not in content
