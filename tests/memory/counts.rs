//! What a scenario found: counted, passed on, judged and printed.

use std::fmt::{self, Display};

/// Copies of the marker, by the address where each begins or began.
#[derive(Clone, Copy, Default)]
pub(crate) struct Copies {
    pub(crate) whole: usize,
    pub(crate) partial: usize,
}

impl Copies {
    pub(crate) fn all(self) -> usize {
        self.whole + self.partial
    }

    pub(crate) fn is_more_than(self, most: Self) -> bool {
        self.whole > most.whole || self.partial > most.partial
    }
}

impl Display for Copies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} whole, {} partial", self.whole, self.partial)
    }
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    /// With the marker known, and nothing sent.
    pub(crate) before: Copies,
    /// While the value is in use, which shows that the scan finds it.
    pub(crate) held: Copies,
    /// After this crate's calls.
    pub(crate) ours: Copies,
    /// After ten times as many.
    pub(crate) later: Option<Copies>,
    /// After the same by hand, in the same process.
    pub(crate) by_hand: Copies,
}

impl Counts {
    /// The problem with these counts, if at most this many copies may be left.
    pub(crate) fn problem(&self, most: Copies) -> Option<&'static str> {
        let more = |later: Copies| later.is_more_than(most) || later.all() > self.ours.all() + 1;
        if self.before.all() > 0 {
            Some("the value was there before it came")
        } else if self.held.all() == 0 {
            Some("the scanner does not see the value that is in use")
        } else if self.by_hand.all() == 0 {
            Some("the scanner does not see what is left by hand")
        } else if self.ours.is_more_than(most) {
            Some("copies are left")
        } else if self.later.is_some_and(more) {
            Some("copies grow with the number of calls")
        } else {
            None
        }
    }

    /// One line, to be read by [`read`](Self::read).
    pub(crate) fn write(&self) -> String {
        let (before, held) = (Some(self.before), Some(self.held));
        let all = [before, held, Some(self.ours), self.later, Some(self.by_hand)];
        let words = all.map(|copies| match copies {
            Some(Copies { whole, partial }) => format!("{whole}+{partial}"),
            None => "-".to_owned(),
        });
        words.join(" ")
    }

    pub(crate) fn read(line: &str) -> Option<Self> {
        let copies = |word: &str| {
            let (whole, partial) = word.split_once('+')?;
            Some(Copies { whole: whole.parse().ok()?, partial: partial.parse().ok()? })
        };
        let words: Vec<&str> = line.split_whitespace().collect();
        let [before, held, ours, later, by_hand] = words.as_slice() else { return None };
        Some(Self {
            before: copies(before)?,
            held: copies(held)?,
            ours: copies(ours)?,
            later: copies(later),
            by_hand: copies(by_hand)?,
        })
    }
}

impl Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.ours)?;
        if let Some(later) = self.later {
            write!(f, " (after 200: {later})")?;
        }
        write!(f, "; by hand with reqwest: {}", self.by_hand)
    }
}
