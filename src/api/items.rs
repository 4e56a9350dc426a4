//! All pages of a list as a stream of items.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::paging::{End, Endless, Outline, Paging};
use super::window::{Paged, Window};
use crate::client::Client;
use crate::models::Page;
use crate::operation::Operation;
use crate::{Error, Result};

/// A list that can be read page by page.
pub(crate) struct PagedList<T> {
    pub(crate) client: Client,
    pub(crate) operation: Operation,
    pub(crate) collection: &'static str,
    /// Identifies an item, to detect a server that returns the same page for every offset.
    pub(crate) name: fn(&T) -> &str,
    /// Whether an item belongs in the list; the others still count towards the next offset.
    pub(crate) keep: fn(&T) -> bool,
}

type Fetch<T> = Pin<Box<dyn Future<Output = Result<Page<T>>> + Send>>;

/// Fetches the page that begins after that many items.
type FetchAt<T> = Box<dyn Fn(u64) -> Fetch<T> + Send + Sync>;

/// All items of a list, page after page, one page in memory at a time.
///
/// A page is requested when its first item is needed. The stream ends after an error, which it
/// returns once.
///
/// It ends when as many items have come as the server's `total` says, without a further request;
/// otherwise at an empty page. A `total` below the number of items so far is ignored. If it is too
/// low and reached exactly at the end of a page, the stream ends early ([`Client::resolve_group`]
/// and edits do not rely on it). Items that a server lists twice come twice.
///
/// A page longer than requested counts as the whole list, once. A second such page, one shorter
/// than its `total`, a server that repeats itself, and 10,000 pages are an [`Error::Decode`].
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
    list: PagedList<T>,
    fetch_at: FetchAt<T>,
    fetching: Option<Fetch<T>>,
    ready: VecDeque<T>,
    paging: Paging,
    /// The first item of the previous page.
    previous: Option<String>,
    ended: bool,
}

impl<T: Unpin> Items<T> {
    /// The list, starting at the offset of `params`.
    pub(super) fn of<P, F>(
        list: PagedList<T>,
        mut params: P,
        fetch: impl Fn(Client, P) -> F + Send + Sync + 'static,
    ) -> Self
    where
        P: Paged,
        F: Future<Output = Result<Page<T>>> + Send + 'static,
    {
        let Window { limit, offset } = *params.window();
        let client = list.client.clone();
        let fetch_at = move |offset| -> Fetch<T> {
            let mut params = params.clone();
            params.window().offset = offset;
            Box::pin(fetch(client.clone(), params))
        };
        Self {
            paging: Paging::new(offset, limit),
            list,
            fetch_at: Box::new(fetch_at),
            fetching: None,
            ready: VecDeque::new(),
            previous: None,
            ended: false,
        }
    }

    /// The next item, or `None` at the end. Dropping the future loses no item.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::ListSecretStores;
    ///
    /// let mut stores = client.secret_stores().stream(ListSecretStores::new());
    /// if let Some(first) = stores.next().await {
    ///     println!("{}", first?.id());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn next(&mut self) -> Option<Result<T>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// All remaining items, in memory at once. It ends when the stream does, so a `total` that is
    /// too low can end it early.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::ListSecrets;
    ///
    /// let secrets = client.secrets().stream(ListSecrets::in_group("sg-abc")).try_collect().await?;
    /// println!("{} keys", secrets.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The first failure; the items read before it are dropped.
    pub async fn try_collect(mut self) -> Result<Vec<T>> {
        let mut items = Vec::new();
        while let Some(item) = self.next().await {
            items.push(item?);
        }
        Ok(items)
    }

    fn take_page(&mut self, page: Page<T>) -> Result<()> {
        let first = page.items().first().map(self.list.name);
        let is_new = first != self.previous.as_deref();
        let length = if is_new { page.items().len() as u64 } else { 0 };
        let came = self.paging.offset().saturating_add(length);
        let end =
            self.paging.take(Outline::of(&page), came, is_new).map_err(|Endless| self.endless())?;
        self.ended = end != End::Open;
        if matches!(end, End::Open | End::AtTotal | End::ShortPage { .. }) {
            self.previous = first.map(str::to_owned);
            self.ready = page.into_items().into_iter().filter(self.list.keep).collect();
        }
        Ok(())
    }

    fn endless(&self) -> Error {
        self.list.client.transport().not_understood(self.list.operation, self.list.collection)
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
            let fetching = this.fetching.get_or_insert_with(|| (this.fetch_at)(offset));
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
            .field("received", &self.paging.offset())
            .field("pages", &self.paging.pages())
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
        let list = PagedList {
            client: client.build().unwrap(),
            operation: Operation::ListSecretGroups,
            collection: "secret-groups",
            // Only for servers that repeat themselves; this one does not.
            name: |item: &Counted| {
                if item.0.load(Ordering::SeqCst).is_multiple_of(2) { "even" } else { "odd" }
            },
            keep: |_| true,
        };
        let params = crate::api::ListSecretGroups::new();
        let mut items = Items::of(list, params, move |_, mut params| {
            assert_eq!(of_pages.load(Ordering::SeqCst), 0, "the page before is still there");
            let length = if params.window().offset == 0 { 100 } else { 99 };
            let page = (0..length).map(|_| Counted::new(&of_pages)).collect();
            async { Ok(Page::new(page, Some(199), None, None)) }
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
