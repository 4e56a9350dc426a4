//! One group's secrets, read to the end: what edits, `ensure` and `resolve_group` share.

use std::collections::HashMap;

use super::paging::{End, Endless, Outline, Paging};
use super::secrets::ListSecrets;
use crate::client::Client;
use crate::models::{Page, Secret, SecretGroup, SecretGroupId, SecretId};
use crate::operation::Operation;
use crate::{Error, Result};

/// The maximum number of reads of a list that changes while it is read, or contradicts itself.
pub(crate) const READS: u32 = 3;

/// The secrets of one group, as far as its list was read.
///
/// An edit deletes what is missing from the list, so its end must be certain: the server's `total`
/// ends it only if that many distinct secrets came and the last page is not full. After a full
/// page, one more request has to find an empty page.
pub(crate) struct GroupList {
    client: Client,
    id: SecretGroupId,
    params: ListSecrets,
    paging: Paging,
    secrets: Vec<Secret>,
    names: Names,
    end: End,
    /// The total of the first page that has one.
    total: Option<u64>,
    /// Whether pages contradict each other, because the list changed while it was read.
    has_changed: bool,
}

impl GroupList {
    /// Reads the first page.
    pub(crate) async fn first_page(
        client: &Client,
        id: &SecretGroupId,
        params: ListSecrets,
    ) -> Result<Self> {
        let mut list = Self {
            client: client.clone(),
            id: id.clone(),
            paging: Paging::new(0, params.page_limit()),
            params,
            secrets: Vec::new(),
            names: Names::default(),
            end: End::Open,
            total: None,
            has_changed: false,
        };
        list.read_page().await?;
        Ok(list)
    }

    /// All secrets of the group with their values: read up to three times if the list changes
    /// meanwhile.
    ///
    /// `listed`: whether the caller compares them with the group's own list. If not, a first page
    /// counts as the whole list only if the server says how long its pages are.
    pub(crate) async fn read_all(
        client: &Client,
        id: &SecretGroupId,
        listed: bool,
    ) -> Result<Vec<Secret>> {
        for _ in 0..READS {
            let params = ListSecrets::in_group(id).with_values();
            let mut list = Self::first_page(client, id, params).await?;
            let is_unsure = list.end == End::ShortPage { sure: false } && !listed;
            if is_unsure || !list.has_ended() {
                list.read_to_end().await?;
            }
            if list.is_whole() {
                return Ok(list.secrets);
            }
        }
        Err(unreadable(client))
    }

    /// Reads the remaining pages until the list ends.
    pub(crate) async fn read_to_end(&mut self) -> Result<()> {
        loop {
            self.read_page().await?;
            if self.has_ended() {
                return Ok(());
            }
        }
    }

    async fn read_page(&mut self) -> Result<()> {
        let page = self.page_at(self.paging.offset()).await?;
        let outline = Outline::of(&page);
        let known = self.secrets.len();
        for secret in page {
            match self.names.add(&self.client, &self.id, &secret)? {
                Name::New => self.secrets.push(secret),
                Name::Known => {}
                Name::Contradicts => self.has_changed = true,
            }
        }
        self.has_changed |= self.is_another_total(outline);
        self.total = self.total.or(outline.total);
        let is_new = self.secrets.len() > known;
        let end = self.paging.take(outline, self.secrets.len() as u64, is_new);
        self.end = end.map_err(|Endless| unreadable(&self.client))?;
        Ok(())
    }

    async fn page_at(&self, offset: u64) -> Result<Page<Secret>> {
        let params = self.params.clone().offset(offset);
        // Boxed: otherwise every future of an edit takes 16 KB.
        Box::pin(self.client.secrets().list(&params)).await
    }

    /// Whether the server returns no secrets from this offset on.
    pub(crate) async fn ends_at(&self, offset: u64) -> Result<bool> {
        Ok(self.page_at(offset).await?.items().is_empty())
    }

    /// Some servers count the list in the query for the page, so their total on an empty page is 0.
    fn is_another_total(&self, page: Outline) -> bool {
        let says_nothing = page.length == 0 && page.total == Some(0);
        !says_nothing && self.total.zip(page.total).is_some_and(|(first, now)| first != now)
    }

    /// Whether nothing is left to read.
    pub(crate) fn has_ended(&self) -> bool {
        !matches!(self.end, End::Open | End::AtTotal)
    }

    pub(crate) fn has_changed(&self) -> bool {
        self.has_changed
    }

    /// Whether a list that has ended is at least as long as the server says.
    pub(crate) fn is_whole(&self) -> bool {
        let len = self.secrets.len() as u64;
        !self.has_changed && self.total.is_none_or(|total| len >= total)
    }

    /// How sure the end is.
    pub(crate) fn end(&self) -> End {
        self.end
    }

    pub(crate) fn total(&self) -> Option<u64> {
        self.total
    }

    pub(crate) fn secrets(&self) -> &[Secret] {
        &self.secrets
    }
}

/// Keys and identifiers, one to one.
#[derive(Default)]
pub(crate) struct Names {
    ids: HashMap<String, SecretId>,
    keys: HashMap<SecretId, String>,
}

pub(crate) enum Name {
    New,
    Known,
    /// The key has another identifier, or the identifier another key.
    Contradicts,
}

impl Names {
    /// # Errors
    /// [`Error::Decode`] for a secret of another group, and for one without its key, which could neither be
    /// kept nor removed.
    pub(crate) fn add(
        &mut self,
        client: &Client,
        group: &SecretGroupId,
        secret: &Secret,
    ) -> Result<Name> {
        let is_of_another = secret.secret_group_id().is_some_and(|id| id != group);
        let key = secret.key().filter(|_| !is_of_another).ok_or_else(|| unreadable(client))?;
        let id = secret.id();
        Ok(match (self.ids.get(key), self.keys.get(id)) {
            (None, None) => {
                self.ids.insert(key.to_owned(), id.clone());
                self.keys.insert(id.clone(), key.to_owned());
                Name::New
            }
            (Some(known_id), Some(known_key)) if known_id == id && known_key == key => Name::Known,
            _ => Name::Contradicts,
        })
    }
}

/// Whether a secret without a group identifier has the FQN of another group's secret: a server that
/// does not know `secretGroupId` lists all secrets.
pub(crate) fn names_another_group(secret: &Secret, group: &SecretGroup) -> bool {
    let is_of_it =
        |fqn: &str| fqn.strip_prefix(group.fqn()).is_some_and(|key| key.starts_with(':'));
    secret.secret_group_id().is_none() && secret.fqn().is_some_and(|fqn| !is_of_it(fqn))
}

pub(crate) fn unreadable(client: &Client) -> Error {
    client.transport().not_understood(Operation::ListSecrets, "secrets")
}
