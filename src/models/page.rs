//! One page of a list.

/// The maximum number of items on a page unless another is set; the API's own default.
pub(crate) const DEFAULT_LIMIT: u64 = 100;

/// One page of a list.
///
/// ```no_run
/// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
/// use truefoundry_secrets::ListSecretGroups;
///
/// let page = client.secret_groups().list(&ListSecretGroups::new().limit(20)).await?;
/// println!("{} of {:?}", page.items().len(), page.total());
/// for group in page {
///     println!("{}", group.fqn());
/// }
/// # Ok(())
/// # }
/// ```
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

    pub(crate) fn retain(&mut self, keep: impl FnMut(&T) -> bool) {
        self.items.retain(keep);
    }

    /// The page's items.
    pub fn items(&self) -> &[T] {
        &self.items
    }

    /// Iterates over the page's items.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.items.iter()
    }

    /// Returns the page's items alone.
    pub fn into_items(self) -> Vec<T> {
        self.items
    }

    /// The number of items on all pages, if the server says so.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// The number of items before this page, if the server says so.
    pub fn offset(&self) -> Option<u64> {
        self.offset
    }

    /// The maximum number of items on a page, if the server says so.
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
