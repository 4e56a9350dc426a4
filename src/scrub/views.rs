//! A text as somebody would read it after undoing escapes, with the way back to where each byte
//! came from.

mod steps;

pub(super) use steps::lowered;
use steps::{Step, bytes, form, html, json, lower, percent};
use zeroize::Zeroizing;

const DECODERS: [Step; 5] = [json, bytes, percent, form, html];

/// One reading of a text, in lowercase.
pub(super) struct View {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    /// For each byte, the stretch of the original text that stands for it.
    from: Vec<(usize, usize)>,
    /// Whether whitespace, quotes and backslashes were left out.
    pub(super) squeezed: bool,
}

impl View {
    /// The text as it is and decoded, twice in any combination; the whole also below one more layer
    /// of JSON, which details and answers that were cut off still have around them.
    pub(super) fn all(text: &str) -> Vec<Self> {
        let mut views = vec![Self::raw(text)];
        views.extend(views.first().and_then(|raw| raw.decoded(json)));
        let mut layer = 0..views.len();
        for _ in 0..2 {
            let next = views.len();
            for at in layer {
                for decoder in DECODERS {
                    let decoded = views.get(at).and_then(|view| view.decoded(decoder));
                    if let Some(view) = decoded
                        && !views.iter().any(|other| other.bytes == view.bytes)
                    {
                        views.push(view);
                    }
                }
            }
            layer = next..views.len();
        }
        // Only now: `%4A` is a capital letter too.
        for view in &mut views {
            if view.bytes.is_ascii() {
                view.bytes.make_ascii_lowercase();
            } else if let Some(lowercase) = view.decoded(lower) {
                *view = lowercase;
            }
        }
        let squeezed: Vec<Self> = views.iter().map(Self::squeezed).collect();
        views.extend(squeezed);
        views
    }

    fn raw(text: &str) -> Self {
        let from = (0..text.len()).map(|at| (at, at + 1)).collect();
        Self { bytes: Zeroizing::new(text.as_bytes().to_vec()), from, squeezed: false }
    }

    /// This view with one kind of escape undone; `None` where it has none.
    fn decoded(&self, step: Step) -> Option<Self> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.bytes.len()));
        let mut from = Vec::with_capacity(self.bytes.len());
        let mut rest: &[u8] = &self.bytes;
        let mut at = 0;
        let mut changed = false;
        while let Some((first, _)) = rest.split_first() {
            let (taken, character) = if let Some(escape) = step(rest) {
                changed = true;
                escape
            } else {
                (1, steps::Bytes::one(*first))
            };
            let source = self.source(at, at + taken)?;
            for byte in character.iter() {
                bytes.push(byte);
                from.push(source);
            }
            at += taken;
            rest = rest.get(taken..)?;
        }
        changed.then_some(Self { bytes, from, squeezed: false })
    }

    fn squeezed(&self) -> Self {
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.bytes.len()));
        let mut from = Vec::with_capacity(self.bytes.len());
        for (byte, source) in
            self.bytes.iter().zip(&self.from).filter(|(byte, _)| !is_loose(**byte))
        {
            bytes.push(*byte);
            from.push(*source);
        }
        Self { bytes, from, squeezed: true }
    }

    /// Where `needle` begins, at `start` or later.
    pub(super) fn find(&self, needle: &[u8], start: usize) -> Option<usize> {
        let rest = self.bytes.get(start..)?;
        rest.windows(needle.len()).position(|window| window == needle).map(|at| start + at)
    }

    /// The stretch of the original text that the bytes from `start` to before `end` come from.
    pub(super) fn source(&self, start: usize, end: usize) -> Option<(usize, usize)> {
        Some((self.from.get(start)?.0, self.from.get(end.checked_sub(1)?)?.1))
    }
}

/// A secret without what servers change when they quote it; `None` where that leaves it as it is.
pub(super) fn squeezed(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if !bytes.iter().copied().any(is_loose) {
        return None;
    }
    let mut kept = Zeroizing::new(Vec::with_capacity(bytes.len()));
    kept.extend(bytes.iter().copied().filter(|byte| !is_loose(*byte)));
    Some(kept)
}

/// What is left of a secret that a page carried unescaped: its reader took `<..>` for a tag and
/// `&..;` for a character.
pub(super) fn as_on_a_page(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if !bytes.iter().any(|byte| matches!(byte, b'<' | b'&')) {
        return None;
    }
    let mut kept = Zeroizing::new(Vec::with_capacity(bytes.len()));
    let mut rest = bytes;
    let mut in_tag = false;
    while let Some((first, tail)) = rest.split_first() {
        match (first, in_tag) {
            (b'<', _) => in_tag = true,
            (b'>', true) => in_tag = false,
            (_, true) => {}
            (b'&', false) => {
                if let Some((taken, character)) = html(rest) {
                    kept.extend(character.iter());
                    rest = rest.get(taken..)?;
                    continue;
                }
                kept.push(b'&');
            }
            (byte, false) => kept.push(*byte),
        }
        rest = tail;
    }
    Some(kept)
}

fn is_loose(byte: u8) -> bool {
    byte <= b' ' || byte == 0x7f || b"\"'`\\".contains(&byte)
}
