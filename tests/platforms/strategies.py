"""Messages that nobody would write, but somebody will."""

from __future__ import annotations

from hypothesis import strategies as st

from shared.dialog.messages import Button, Media, Message, Span

# Letters, markers, spaces of all kinds, a pair of surrogates, things that grow when they are escaped.
ALPHABET = 'abЯ1 *_~`>-.\n\t/:&<"\x01😀é\u200d'
words = st.text(ALPHABET, max_size=30)


def about(*limits: int) -> st.SearchStrategy[str]:
    """A character as often as a limit allows, or a little more or less."""
    more = st.sampled_from([0, 1, -1, 5])
    return st.builds(
        lambda c, n, m: c * (n + m), st.sampled_from("aЯ😀*&\x01"), st.sampled_from(limits), more
    )


any_text = st.one_of(
    words,
    st.text(st.characters(codec="utf-8"), max_size=200),
    st.builds(lambda word, times: word * times, words, st.integers(0, 1500)),
    st.lists(words, max_size=400).map(" ".join),
    about(512, 1024, 2048, 4096, 7000),
)
labels = st.one_of(words, st.sampled_from(["Yes", "yes", "Yes" * 10]), about(20, 24, 72, 128, 250))
addresses = st.sampled_from(
    [
        "https://a.io",
        "https://a.io/menu.jpg",
        "https://a.io/" + "x" * 300,
        "http://localhost",
        "nonsense",
        "tg://resolve?domain=a",
    ]
)


LIBRARY = "https://cdn.io/media/m/k/"
library_files = st.builds(
    Media,
    st.sampled_from(["image", "video", "audio", "file"]),
    st.sampled_from([LIBRARY + name for name in ("a.jpg", "a.mp4", "b%20c.pdf", "a.gif", "x")] + [""]),
    st.just("m"),
    st.sampled_from(["", "a.jpg", "a b.mp4", "a.exe", "a", ".pdf", "../b.pdf", "x" * 300 + ".pdf"]),
    st.sampled_from(
        ["", "image/jpeg", "image/gif", "video/mp4", "audio/ogg; codecs=opus", "application/pdf"]
    ),
    st.sampled_from([0, 1, 1_000_000, 1_000_001, 10_000_001, 16_000_001, 50_000_000, 50_000_001, 10**9]),
    st.sampled_from([0, 0.4, 12.5, 180, 181]),
    st.sampled_from(["", "AgAC1-1"]),
    st.sampled_from(["", "media/m/k/a.jpg"]),
)
"""Files of a library, of any shape: those of a real one hold together better."""

shares = st.builds(Button, labels, share=st.sampled_from(["phone", "location"]))
files = st.lists(st.builds(Media, st.just("image"), addresses | st.just("")), max_size=3).map(tuple)
any_files = st.lists(st.builds(Media, st.just("image"), addresses | st.just("")) | library_files, max_size=4)
places_taken = st.sampled_from(["", "", "122", "wamid.1", "0123abcd/00000001/0001"])


@st.composite
def buttons(draw: st.DrawFn) -> tuple[Button, ...]:
    """Choices and links, and perhaps one button of the messenger's own."""
    button = st.tuples(labels, st.none() | addresses, st.booleans())
    few, many = st.lists(button, max_size=12), st.lists(button, min_size=90, max_size=110)
    alike = st.builds(
        lambda button, times: [button] * times,
        st.tuples(labels, st.none(), st.booleans()),
        st.integers(0, 105),
    )
    shown = [
        Button(label, f"p:a1b2c3d4:1:1:{n}", selected=taken) if url is None else Button(label, url=url)
        for n, (label, url, taken) in enumerate(draw(st.one_of(few, many, alike)))
    ]
    return (*shown, *draw(st.lists(shares, max_size=1)))


@st.composite
def messages(draw: st.DrawFn) -> Message:
    text = draw(any_text)
    places = st.integers(0, len(text))
    styles = st.sampled_from(["bold", "italic", "code", "link"])
    spans = draw(st.lists(st.tuples(places, places, styles, addresses), max_size=8))
    return Message(
        text,
        tuple(Span(min(a, b), max(a, b), s, url if s == "link" else "") for a, b, s, url in spans),  # type: ignore[arg-type]
        draw(buttons()),
        draw(files),
        several=draw(st.booleans()),
        replaces=draw(places_taken),
    )
