//! The text to look for. The scanned process must not hold it by itself, so it keeps it masked.

pub(crate) const LENGTH: usize = 48;
const MASK: u8 = 0xA5;
/// Lower case, so that a copy that was lowercased for a comparison is still found.
const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// A text that occurs nowhere else, made from a seed.
#[derive(Clone, Copy)]
pub(crate) struct Marker([u8; LENGTH]);

/// What the value looks like. Nearly any 15 bytes of it hold a piece of the marker.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Shape {
    Short,
    /// A key file: line breaks, which JSON escapes.
    Pem,
    /// 400 KB, in many reads.
    Long,
}

impl Marker {
    pub(crate) fn new(seed: u64) -> Self {
        let mut state = seed;
        Self(std::array::from_fn(|_| {
            // SplitMix64.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = state;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let letter = usize::try_from((word ^ (word >> 31)) % 36).unwrap();
            ALPHABET[letter] ^ MASK
        }))
    }

    /// Whether `byte` may be the marker's byte at `place`.
    pub(crate) fn has(&self, place: usize, byte: u8) -> bool {
        byte ^ MASK == self.0[place]
    }

    /// The value, in an allocation that it fills.
    pub(crate) fn value(&self, shape: Shape) -> String {
        let (lines, begin, end) = match shape {
            Shape::Short => (1, "", ""),
            Shape::Pem => (40, "-----BEGIN PRIVATE KEY-----\n", "-----END PRIVATE KEY-----\n"),
            Shape::Long => (400 * 1024 / LENGTH, "", ""),
        };
        let line_end = if shape == Shape::Pem { "\n" } else { "" };
        let length = begin.len() + lines * (LENGTH + line_end.len()) + end.len();
        let mut text = String::with_capacity(length);
        text.push_str(begin);
        for _ in 0..lines {
            for byte in &self.0 {
                text.push(char::from(byte ^ MASK));
            }
            text.push_str(line_end);
        }
        text.push_str(end);
        assert_eq!(text.len(), text.capacity(), "it grew, and left its earlier half behind");
        text
    }
}
