//! Takes secrets out of text that a server wrote.

mod control;
#[cfg(test)]
mod tests;
mod views;

use std::borrow::Cow;

use zeroize::{Zeroize, Zeroizing};

pub(crate) use control::{escape_control, is_steering};
use views::{View, as_on_a_page, squeezed};

/// What stands in the place of a secret that could be cut out cleanly.
const REPLACED: &str = "***";
/// What stands in the place of a text in which a secret is, but not whole.
pub(crate) const WITHHELD: &str = "(message withheld)";
/// Shorter values are not looked for: any text holds three bytes of anything, so every message
/// would be withheld, and three bytes are found by trying anyway.
const SHORTEST: usize = 4;
/// So many bytes in a row are no coincidence.
const WINDOW: usize = 8;
/// Server texts are cut to far less before they come here; more than this is not worth the search.
const MAX_TEXT: usize = 16 * 1024;

/// Looks for the secrets of one request in what the server answered.
///
/// It sees through JSON, percent, form and HTML escapes (two layers, and one of JSON around them),
/// changes of case, and changed or dropped whitespace, quotes and backslashes. It does not see
/// through Base64, compression or hashing.
///
/// There is no `Debug`, and its own copies are wiped.
pub(crate) struct Scrubber {
    needles: Vec<Needle>,
}

struct Needle {
    bytes: Zeroizing<Vec<u8>>,
    /// Which views to look in.
    squeezed: bool,
}

impl Scrubber {
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut needles = Vec::new();
        for secret in secrets.into_iter().filter(|secret| secret.len() >= SHORTEST) {
            let bytes = lowercase(secret);
            let bare = squeezed(&bytes);
            let on_a_page = as_on_a_page(&bytes).map(|bytes| squeezed(&bytes).unwrap_or(bytes));
            // With nothing to leave out, a long value is in a squeezed text wherever it is in the
            // whole one, and also where it was broken into lines. A short one would be
            // found across words (`t rue`) that do not show it.
            let in_squeezed = bare.is_none() && bytes.len() >= WINDOW;
            needles.push(Needle { bytes, squeezed: in_squeezed });
            let others = bare.into_iter().chain(on_a_page);
            needles.extend(
                others
                    .filter(|bytes| bytes.len() >= SHORTEST)
                    .map(|bytes| Needle { bytes, squeezed: true }),
            );
        }
        Self { needles }
    }

    /// The text without any secret: borrowed where none was in it.
    pub(crate) fn scrub<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.needles.is_empty() || text.len() < SHORTEST {
            return Cow::Borrowed(text);
        }
        if text.len() > MAX_TEXT {
            return Cow::Borrowed(WITHHELD);
        }
        let views = View::all(text);
        let windows = Windows::of(&views);
        if !self.shows(&views, &windows) {
            return Cow::Borrowed(text);
        }
        let Some(cut) = self.cut(text, &views, &windows) else {
            return Cow::Borrowed(WITHHELD);
        };
        let views = View::all(&cut);
        if self.shows(&views, &Windows::of(&views)) {
            return Cow::Borrowed(WITHHELD);
        }
        Cow::Owned(String::clone(&cut))
    }

    /// Whether a secret stands in these texts together that stands in none of them whole, such as one that
    /// was taken for a list of characters.
    pub(crate) fn is_spread_over(&self, texts: &[String]) -> bool {
        let together = Zeroizing::new(texts.concat());
        matches!(self.scrub(&together), Cow::Owned(_) | Cow::Borrowed(WITHHELD))
    }

    /// Scrubs in place and wipes what was there; says whether anything was.
    pub(crate) fn scrub_string(&self, text: &mut String) -> bool {
        let clean = match self.scrub(text) {
            Cow::Borrowed(same) if same == text.as_str() => return false,
            changed => changed.into_owned(),
        };
        text.zeroize();
        *text = clean;
        true
    }

    fn shows(&self, views: &[View], windows: &Windows) -> bool {
        self.needles.iter().any(|needle| {
            if needle.bytes.len() >= WINDOW {
                return each_window(&needle.bytes).any(|window| windows.contains(window));
            }
            let mut comparable = views.iter().filter(|view| view.squeezed == needle.squeezed);
            comparable.any(|view| view.find(&needle.bytes, 0).is_some())
        })
    }

    /// Replaces every whole occurrence of the longer secrets; `None` where a cut would not fall
    /// between characters.
    fn cut(&self, text: &str, views: &[View], windows: &Windows) -> Option<Zeroizing<String>> {
        let mut cuts: Vec<(usize, usize)> = Vec::new();
        for needle in self.needles.iter().filter(|needle| needle.bytes.len() >= WINDOW) {
            // Nearly all of a request's secrets are not in the text, and this is much cheaper than
            // to look for them.
            if !each_window(&needle.bytes).next().is_some_and(|window| windows.contains(window)) {
                continue;
            }
            for view in views.iter().filter(|view| view.squeezed == needle.squeezed) {
                let mut from = 0;
                while let Some(at) = view.find(&needle.bytes, from) {
                    from = at + needle.bytes.len();
                    cuts.push(view.source(at, from)?);
                }
            }
        }
        cuts.sort_unstable();
        let mut result = Zeroizing::new(String::with_capacity(text.len() + REPLACED.len()));
        let mut done = 0;
        let mut cuts = cuts.into_iter().peekable();
        while let Some((start, mut end)) = cuts.next() {
            while let Some((_, later)) = cuts.next_if(|next| next.0 <= end) {
                end = end.max(later);
            }
            result.push_str(text.get(done..start)?);
            result.push_str(REPLACED);
            done = end;
        }
        result.push_str(text.get(done..)?);
        Some(result)
    }
}

fn lowercase(secret: &str) -> Zeroizing<Vec<u8>> {
    // Exact: a buffer that grows leaves unwiped copies behind.
    let length = secret.chars().map(|it| views::lowered(it).len_utf8()).sum();
    let mut bytes = Zeroizing::new(Vec::with_capacity(length));
    for character in secret.chars() {
        bytes.extend_from_slice(views::lowered(character).encode_utf8(&mut [0; 4]).as_bytes());
    }
    bytes
}

fn each_window(bytes: &[u8]) -> impl Iterator<Item = u64> + '_ {
    let mut last = 0_u64;
    let rolling = bytes.iter().map(move |byte| {
        last = (last << 8) | u64::from(*byte);
        last
    });
    rolling.skip(WINDOW - 1)
}

/// Every run of eight bytes of a short text, so that a long secret is compared with all of them in
/// one pass.
struct Windows {
    sorted: Zeroizing<Vec<u64>>,
    /// One bit per hash: spares the binary search for nearly all windows of a secret that is not
    /// there.
    filter: Zeroizing<Vec<u64>>,
}

impl Windows {
    fn of(views: &[View]) -> Self {
        // Exact from the start: a vector that grows leaves unwiped copies behind.
        let count = views.iter().map(|view| view.bytes.len()).sum();
        let mut sorted = Zeroizing::new(Vec::with_capacity(count));
        sorted.extend(views.iter().flat_map(|view| each_window(&view.bytes)));
        sorted.sort_unstable();
        sorted.dedup();
        let mut filter = Zeroizing::new(vec![0; 1024]);
        for window in sorted.iter() {
            let (word, bit) = Self::place(*window);
            if let Some(word) = filter.get_mut(word) {
                *word |= bit;
            }
        }
        Self { sorted, filter }
    }

    fn contains(&self, window: u64) -> bool {
        let (word, bit) = Self::place(window);
        self.filter.get(word).is_some_and(|word| word & bit != 0)
            && self.sorted.binary_search(&window).is_ok()
    }

    fn place(window: u64) -> (usize, u64) {
        let hash = window.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48;
        (usize::try_from(hash >> 6).unwrap_or_default(), 1 << (hash & 63))
    }
}
