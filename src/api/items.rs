//! One page, and all pages as a stream of items.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use crate::client::Client;
use crate::operation::Operation;
use crate::{Error, Result};

/// One page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    items: Vec<T>,
    total: Option<u64>,
    offset: Option<u64>,
    limit: Option<u64>,
}

impl<T> Page<T> {
    pub(crate) fn new(
        items: Vec<T>,
        total: Option<u64>,
        offset: Option<u64>,
        limit: Option<u64>,
    ) -> Self {
        Self { items, total, offset, limit }
    }

    /// The page's items.
    pub fn items(&self) -> &[T] {
        &self.items
    }

    /// Goes through the page's items.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.items.iter()
    }

    /// The page's items by themselves.
    pub fn into_items(self) -> Vec<T> {
        self.items
    }

    /// How many items there are on all pages, where the server says so.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// How many items come before this page, where the server says so.
    pub fn offset(&self) -> Option<u64> {
        self.offset
    }

    /// How many items a page has at most, where the server says so.
    pub fn limit(&self) -> Option<u64> {
        self.limit
    }

    pub(crate) fn outline(&self) -> Outline {
        Outline { length: self.items.len() as u64, total: self.total, limit: self.limit }
    }
}

impl<T> IntoIterator for Page<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Page<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

/// A list that can be read page by page.
pub(crate) struct Source<T> {
    pub(crate) client: Client,
    pub(crate) operation: Operation,
    pub(crate) collection: &'static str,
    pub(crate) start: u64,
    pub(crate) limit: u64,
    pub(crate) name: Name<T>,
    pub(crate) fetch_at: FetchAt<T>,
}

type Fetch<T> = Pin<Box<dyn Future<Output = Result<Page<T>>> + Send>>;

/// Fetches the page that begins after that many items.
type FetchAt<T> = Box<dyn Fn(u64) -> Fetch<T> + Send + Sync>;

/// Names an item, to notice a server that answers every offset with the same page.
type Name<T> = fn(&T) -> &str;

/// What a page says of its list.
#[derive(Clone, Copy)]
pub(crate) struct Outline {
    pub(crate) length: u64,
    pub(crate) total: Option<u64>,
    pub(crate) limit: Option<u64>,
}

/// Where a list is, and whether its pages tell that it ends.
///
/// What a server says of its list is doubted: a `total` counts only if it is not below what came, a page
/// longer than asked for is the whole list or a mistake, and no list has 10,000 pages.
#[derive(Debug)]
pub(crate) struct Paging {
    limit: u64,
    /// How many items came before the next page; those that came twice count twice.
    offset: u64,
    pages: u32,
    /// The smaller limit that the server says it has.
    stated_limit: Option<u64>,
    /// The length of the page before.
    before: Option<u64>,
    has_overlong: bool,
}

/// What a page says of the end of its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The list goes on, or nothing says that it does not.
    Open,
    /// As many items as the total says have come, but the page is as long as pages can be: the total may
    /// be wrong.
    AtTotal,
    /// The same, and the page is shorter than pages can be. `sure` is false where only the limit that was
    /// asked for says so: the server may have a smaller one.
    ShortPage { sure: bool },
    /// An empty page.
    Empty,
    /// Nothing new has come: the server sends all that it has whatever it is asked for. `sure` is false
    /// where no total says so.
    Repeated { sure: bool },
}

/// A list without an end, or of which a part would pass as the whole.
#[derive(Debug)]
pub(crate) struct Endless;

const MAX_PAGES: u32 = 10_000;

impl Paging {
    pub(crate) fn new(start: u64, limit: u64) -> Self {
        // A limit of 0 leaves it to the server how long a page is.
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

    /// Where the next page begins.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// `different`: how many different items have come with this page, as far as the caller can tell.
    /// `is_new`: whether one of them is on this page for the first time.
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
            // A page that is exactly as long as asked for is a part, sent again and again.
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

/// All items of a list, page after page, one page in memory at a time.
///
/// A page is requested when an item of it is asked for. After an error, which comes once, the stream
/// ends.
///
/// It ends without a further request when as many items have come as the server's `total` says, else at an
/// empty page. A `total` below what has come is ignored; one that is too low, and reached at the end of a
/// page, ends the stream early ([`Client::resolve_group`] and edits do not rely on it). Items that a server
/// lists twice come twice.
///
/// A page longer than asked for is taken as the whole list, once. A second one, one shorter than its
/// `total`, a server that repeats itself, or 10,000 pages are an [`Error::Decode`].
///
/// ```no_run
/// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
/// use truefoundry_secrets::ListSecretGroups;
///
/// let mut groups = client.secret_groups().stream(ListSecretGroups::new());
/// while let Some(group) = groups.next().await {
///     println!("{}", group?.fqn());
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is requested until an item is asked for"]
pub struct Items<T> {
    source: Source<T>,
    fetching: Option<Fetch<T>>,
    ready: VecDeque<T>,
    paging: Paging,
    /// The first item of the page before.
    previous: Option<String>,
    ended: bool,
}

impl<T: Unpin> Items<T> {
    pub(crate) fn new(source: Source<T>) -> Self {
        Self {
            paging: Paging::new(source.start, source.limit),
            source,
            fetching: None,
            ready: VecDeque::new(),
            previous: None,
            ended: false,
        }
    }

    /// The next item, or `None` at the end. Cancelling loses nothing.
    pub async fn next(&mut self) -> Option<Result<T>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// All the items that are left, in memory at once. It ends where the stream does: at a `total` that is
    /// not below what has come.
    ///
    /// # Errors
    /// The first failure; the items read until then are dropped.
    pub async fn try_collect(mut self) -> Result<Vec<T>> {
        let mut items = Vec::new();
        while let Some(item) = self.next().await {
            items.push(item?);
        }
        Ok(items)
    }

    fn take_page(&mut self, page: Page<T>) -> Result<()> {
        let first = page.items.first().map(self.source.name);
        let is_new = first != self.previous.as_deref();
        let length = if is_new { page.items.len() as u64 } else { 0 };
        let came = self.paging.offset().saturating_add(length);
        let end =
            self.paging.take(page.outline(), came, is_new).map_err(|Endless| self.endless())?;
        self.ended = end != End::Open;
        if matches!(end, End::Open | End::AtTotal | End::ShortPage { .. }) {
            self.previous = first.map(str::to_owned);
            self.ready = page.items.into();
        }
        Ok(())
    }

    fn endless(&self) -> Error {
        self.source.client.transport().not_understood(self.source.operation, self.source.collection)
    }
}

impl<T: Unpin> Stream for Items<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(item)));
            }
            if self.ended {
                return Poll::Ready(None);
            }
            let offset = self.paging.offset();
            let this = &mut *self;
            let fetching = this.fetching.get_or_insert_with(|| (this.source.fetch_at)(offset));
            let page = ready!(fetching.as_mut().poll(context));
            this.fetching = None;
            if let Err(error) = page.and_then(|page| this.take_page(page)) {
                this.ended = true;
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}

impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items")
            .field("received", &self.paging.offset)
            .field("pages", &self.paging.pages)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    struct Counted(Arc<AtomicUsize>);

    impl Counted {
        fn new(alive: &Arc<AtomicUsize>) -> Self {
            alive.fetch_add(1, Ordering::SeqCst);
            Self(Arc::clone(alive))
        }
    }

    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn one_page_is_held_at_a_time() {
        let client = Client::builder().base_url("https://host.example").api_key("k");
        let alive = Arc::new(AtomicUsize::new(0));
        let of_pages = Arc::clone(&alive);
        let mut items = Items::new(Source {
            client: client.build().unwrap(),
            operation: Operation::ListSecretGroups,
            collection: "secret-groups",
            start: 0,
            limit: 100,
            // Only for servers that repeat themselves; this one does not.
            name: |item: &Counted| {
                if item.0.load(Ordering::SeqCst).is_multiple_of(2) { "even" } else { "odd" }
            },
            fetch_at: Box::new(move |offset| {
                assert_eq!(of_pages.load(Ordering::SeqCst), 0, "the page before is still there");
                let length = if offset == 0 { 100 } else { 99 };
                let page = (0..length).map(|_| Counted::new(&of_pages)).collect();
                Box::pin(async move { Ok(Page::new(page, Some(199), None, None)) })
            }),
        });
        let mut count = 0;
        while let Some(item) = items.next().await {
            drop(item.unwrap());
            count += 1;
            assert!(alive.load(Ordering::SeqCst) < 100);
        }
        assert_eq!((count, alive.load(Ordering::SeqCst)), (199, 0));
    }
}
