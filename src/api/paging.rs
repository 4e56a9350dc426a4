//! When a list ends, and what a server says of it.

use crate::models::Page;

/// What a page says of its list.
#[derive(Clone, Copy)]
pub(crate) struct Outline {
    pub(crate) length: u64,
    pub(crate) total: Option<u64>,
    pub(crate) limit: Option<u64>,
}

impl Outline {
    pub(crate) fn of<T>(page: &Page<T>) -> Self {
        Self { length: page.items().len() as u64, total: page.total(), limit: page.limit() }
    }
}

/// How far a list was read, and whether its pages show that it has ended.
///
/// A server's claims are not trusted: a `total` counts only if it is not below the number of items
/// so far, a page longer than requested is the whole list or a mistake, and no list has 10,000
/// pages.
#[derive(Debug)]
pub(crate) struct Paging {
    limit: u64,
    /// How many items precede the next page; repeated ones count each time.
    offset: u64,
    pages: u32,
    /// The page limit that the server states.
    stated_limit: Option<u64>,
    /// The length of the previous page.
    before: Option<u64>,
    has_overlong: bool,
}

/// What a page says of the end of its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The list goes on, or nothing shows that it has ended.
    Open,
    /// The total is reached, but the page is full: the total may be wrong.
    AtTotal,
    /// The total is reached, and the page is not full. `sure` is false if only the requested limit
    /// shows that: the server may have a smaller one.
    ShortPage { sure: bool },
    /// An empty page.
    Empty,
    /// The page has nothing new: the server sends its whole list for any offset. `sure` is false if
    /// no total confirms that.
    Repeated { sure: bool },
}

/// The list has no end, or a part of it would pass as the whole.
#[derive(Debug)]
pub(crate) struct Endless;

const MAX_PAGES: u32 = 10_000;

impl Paging {
    pub(crate) fn new(start: u64, limit: u64) -> Self {
        // With a limit of 0 the server chooses how long a page is.
        let limit = if limit == 0 { u64::MAX } else { limit };
        Self {
            limit,
            offset: start,
            pages: 0,
            stated_limit: None,
            before: None,
            has_overlong: false,
        }
    }

    /// The offset of the next page.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The number of pages so far.
    pub(crate) fn pages(&self) -> u32 {
        self.pages
    }

    /// `different`: the number of distinct items up to and including this page, as far as the
    /// caller can tell. `is_new`: whether this page has an item that no earlier page had.
    pub(crate) fn take(
        &mut self,
        page: Outline,
        different: u64,
        is_new: bool,
    ) -> Result<End, Endless> {
        self.pages += 1;
        let length = page.length;
        if length == 0 {
            return Ok(End::Empty);
        }
        self.stated_limit = page.limit.filter(|limit| *limit > 0).or(self.stated_limit);
        let longest = self.stated_limit.map_or(self.limit, |limit| limit.min(self.limit));
        let is_overlong = length > self.limit;
        if !is_new {
            let total = page.total.filter(|total| *total >= self.offset);
            // A page of exactly the requested length is a part of the list, which the server
            // repeats.
            let is_part =
                total.is_some_and(|total| total > different) || (length >= longest && !is_overlong);
            return if is_part {
                Err(Endless)
            } else {
                Ok(End::Repeated { sure: total.is_some() })
            };
        }
        self.offset = self.offset.saturating_add(length);
        let total = page.total.filter(|total| *total >= self.offset);
        let is_part = is_overlong && total.is_some_and(|total| total > different);
        if is_part || (is_overlong && self.has_overlong) || self.pages >= MAX_PAGES {
            return Err(Endless);
        }
        self.has_overlong |= is_overlong;
        let before = self.before.replace(length);
        let is_short = length < longest && before.is_none_or(|before| length < before);
        Ok(match total {
            Some(total) if total == different && is_short => {
                End::ShortPage { sure: self.stated_limit.is_some() || before.is_some() }
            }
            Some(total) if total == different => End::AtTotal,
            _ => End::Open,
        })
    }
}
