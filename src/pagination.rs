//! One page, and all pages as a stream of items.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use crate::{Client, Error, Operation, Result};

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

/// All items of a list, page after page, one page in memory at a time.
///
/// A page is requested when an item of it is asked for. After an error, which comes once, the stream
/// ends. It ends at the total that the server announces without a further request, else at an empty
/// page. A server that repeats itself, or has 10,000 pages and more, is an [`Error::Decode`].
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
    received: u64,
    pages: u32,
    previous: Option<String>,
    ended: bool,
    /// The total as the first page that has one says, and whether a later page says another.
    announced: Option<u64>,
    moved: bool,
}

const MOST_PAGES: u32 = 10_000;

impl<T: Unpin> Items<T> {
    pub(crate) fn new(source: Source<T>) -> Self {
        Self {
            received: source.start,
            source,
            fetching: None,
            ready: VecDeque::new(),
            pages: 0,
            previous: None,
            ended: false,
            announced: None,
            moved: false,
        }
    }

    /// The next item, or `None` at the end. Cancelling loses nothing.
    pub async fn next(&mut self) -> Option<Result<T>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// All the items that are left, in memory at once.
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

    /// Whether these were all, as far as the server's totals tell: the list can change between two pages.
    pub(crate) fn were_all(&self, count: usize) -> bool {
        !self.moved && self.announced.is_none_or(|announced| count as u64 >= announced)
    }

    fn take_page(&mut self, page: Page<T>) -> Result<()> {
        self.pages += 1;
        let total = page.total;
        self.moved |=
            self.announced.zip(total).is_some_and(|(announced, total)| announced != total);
        self.announced = self.announced.or(total);
        let received = page.items.len() as u64;
        let first = page.items.first().map(self.source.name).unwrap_or_default();
        let repeated = self.previous.as_deref().is_some_and(|previous| previous == first);
        if received == 0 {
            self.ended = true;
            return Ok(());
        }
        if repeated {
            self.ended = true;
            // A server that knows no paging sends all that it has, again and again; but where it says that
            // there is more, ending here would pass a part off as the whole.
            let is_all = received < self.source.limit && total.is_none();
            return if is_all { Ok(()) } else { Err(self.endless()) };
        }
        if self.pages >= MOST_PAGES {
            return Err(self.endless());
        }
        self.previous = Some(first.to_owned());
        self.received = self.received.saturating_add(received);
        self.ended = total.is_some_and(|total| self.received >= total);
        self.ready = page.items.into();
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
            let offset = self.received;
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
            .field("received", &self.received)
            .field("pages", &self.pages)
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
