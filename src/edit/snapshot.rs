//! A group and all its keys, as they were at one time.

use std::collections::{BTreeMap, HashSet};

use futures_util::future::join;

use crate::api::{
    End, GroupList, ListSecrets, Name, Names, READS, names_another_group, unreadable,
};
use crate::client::Client;
use crate::models::{Marker, Secret, SecretGroup, SecretGroupId, SecretId};
use crate::operation::Operation;
use crate::{Error, Result};

/// Never holds a value.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(super) group: SecretGroup,
    pub(super) keys: BTreeMap<String, KnownKey>,
}

#[derive(Clone, Debug)]
pub(crate) struct KnownKey {
    pub(super) id: SecretId,
    pub(super) marker: Marker,
}

/// Why a group could not be read.
enum Unread {
    Failed(Error),
    /// Its lists contradict each other; another read may help. The error is for the last read.
    Again(Error),
}

impl From<Error> for Unread {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Snapshot {
    pub(super) async fn read(client: &Client, id: &SecretGroupId) -> Result<Self> {
        let mut reads = 1;
        loop {
            let (group, list) = join(
                self::group(client, id),
                GroupList::first_page(client, id, ListSecrets::in_group(id)),
            )
            .await;
            let group = group?;
            if group.id() != id {
                // The write would go to that other group.
                return Err(client
                    .transport()
                    .not_understood(Operation::GetSecretGroup, "secret-groups"));
            }
            match Self::complete(client, group, list?).await {
                Ok(snapshot) => return Ok(snapshot),
                Err(Unread::Again(_)) if reads < READS => reads += 1,
                Err(Unread::Again(error) | Unread::Failed(error)) => return Err(error),
            }
        }
    }

    /// For a group that was just read.
    pub(super) async fn of(client: &Client, group: SecretGroup) -> Result<Self> {
        let id = group.id().clone();
        let list = GroupList::first_page(client, &id, ListSecrets::in_group(&id)).await?;
        match Self::complete(client, group, list).await {
            Ok(snapshot) => Ok(snapshot),
            Err(Unread::Again(_)) => Self::read(client, &id).await,
            Err(Unread::Failed(error)) => Err(error),
        }
    }

    /// A list that is absent or cut never counts as the whole: the group's own list or the first
    /// page must be as long as the server says, else the pages are read to their end. Their union
    /// does not count: it may hold a key that was removed in between, in place of one that neither
    /// of them lists.
    async fn complete(
        client: &Client,
        group: SecretGroup,
        mut list: GroupList,
    ) -> Result<Self, Unread> {
        let own = OwnList::of(&group);
        if !list.has_changed() && (own.agrees_with(&list) || own.is_whole_beyond(&list).await?) {
            return Self::joined(client, group, &list);
        }
        if !list.has_changed() {
            list.read_to_end().await?;
        }
        if own.is_all_of(&list) && list.is_whole() {
            // The group's own list, from one moment, agrees with the pages, read one after the
            // other.
            return Self::joined(client, group, &list);
        }
        let now = self::group(client, group.id()).await?;
        if now.marker() != group.marker() {
            // A key may have moved from one page to another that was read before.
            let changed = Error::concurrent_edit(vec![], vec![], vec![], false);
            return Err(Unread::Again(changed));
        }
        let is_whole = list.is_whole() && own.is_part_of(&list);
        if !is_whole || list.end() == (End::Repeated { sure: false }) {
            return Err(Unread::Again(unreadable(client)));
        }
        Self::joined(client, group, &list)
    }

    /// The keys of the group's own list and of the pages, one of which contains the other.
    fn joined(client: &Client, group: SecretGroup, list: &GroupList) -> Result<Self, Unread> {
        let mut names = Names::default();
        let mut keys = BTreeMap::new();
        for secret in group.secrets().into_iter().flatten().chain(list.secrets()) {
            if names_another_group(secret, &group) {
                return Err(Unread::Failed(unreadable(client)));
            }
            if matches!(names.add(client, group.id(), secret)?, Name::Contradicts) {
                return Err(Unread::Again(unreadable(client)));
            }
            let known = KnownKey { id: secret.id().clone(), marker: secret.marker() };
            keys.insert(secret.key().unwrap_or_default().to_owned(), known);
        }
        Ok(Self { group, keys })
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.keys.contains_key(key)
    }

    /// `Err(ConcurrentEdit)` if `later` has other keys: a key that was removed and added again
    /// counts as another key.
    pub(super) fn same_keys_in(&self, later: &Self) -> Result<()> {
        let ids = self.keys.iter().map(|(key, known)| (key, &known.id));
        let later_ids = later.keys.iter().map(|(key, known)| (key, &known.id));
        if ids.eq(later_ids) { Ok(()) } else { self.unchanged_in(later) }
    }

    /// `Err(ConcurrentEdit)` if `later` is not the same group in the same state.
    pub(super) fn unchanged_in(&self, later: &Self) -> Result<()> {
        let only_in = |one: &Self, other: &Self| -> Vec<String> {
            one.keys.keys().filter(|key| !other.has(key)).cloned().collect()
        };
        let added = only_in(later, self);
        let removed = only_in(self, later);
        let modified: Vec<String> = self
            .keys
            .iter()
            .filter(|(key, known)| {
                later
                    .keys
                    .get(*key)
                    .is_some_and(|now| now.marker.differs(&known.marker) || now.id != known.id)
            })
            .map(|(key, _)| key.clone())
            .collect();
        let same_time = self.group.marker() == later.group.marker();
        if added.is_empty() && removed.is_empty() && modified.is_empty() && same_time {
            return Ok(());
        }
        Err(Error::concurrent_edit(added, removed, modified, false))
    }
}

/// Boxed: otherwise every future of an edit takes 16 KB.
async fn group(client: &Client, id: &SecretGroupId) -> Result<SecretGroup> {
    Box::pin(client.secret_groups().get(id)).await
}

/// The keys that a group lists itself; a server may leave them out, or cut the list.
struct OwnList<'a> {
    ids: HashSet<&'a SecretId>,
    has_repeats: bool,
}

impl<'a> OwnList<'a> {
    fn of(group: &'a SecretGroup) -> Self {
        let secrets = group.secrets().unwrap_or_default();
        let ids: HashSet<_> = secrets.iter().map(Secret::id).collect();
        let has_repeats = ids.len() < secrets.len();
        Self { ids, has_repeats }
    }

    /// Whether the first page is the whole list, and the group's own list has nothing more.
    fn agrees_with(&self, page: &GroupList) -> bool {
        page.has_ended()
            && page.is_whole()
            && match page.end() {
                End::ShortPage { sure: false } => self.is_all_of(page),
                _ => self.is_part_of(page),
            }
    }

    /// Whether the group's own list is the whole list, of which `page` is the first page.
    async fn is_whole_beyond(&self, page: &GroupList) -> Result<bool> {
        let len = self.ids.len() as u64;
        let length = page.secrets().len();
        let has_page = length > 0 && self.shared_with(page) == length;
        if self.has_repeats || page.total() != Some(len) || !has_page {
            return Ok(false);
        }
        // The total may only count the list that was cut.
        page.ends_at(len).await
    }

    fn is_all_of(&self, list: &GroupList) -> bool {
        let length = list.secrets().len();
        self.ids.len() == length && self.shared_with(list) == length
    }

    fn is_part_of(&self, list: &GroupList) -> bool {
        self.ids.len() == self.shared_with(list)
    }

    fn shared_with(&self, list: &GroupList) -> usize {
        list.secrets().iter().filter(|secret| self.ids.contains(secret.id())).count()
    }
}
