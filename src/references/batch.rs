//! Looking up what references name: in batches, and one by one if a server does not support that.

use std::collections::HashMap;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::resolve::{BATCH, Found};
use crate::api::ListSecrets;
use crate::client::Client;
use crate::models::{Secret, SecretRef};
use crate::{Error, Result};

/// What a batch says about one of its references.
enum BatchEntry {
    Listed(Box<Secret>),
    Absent,
    /// The batch was refused as a whole, because of one or more of its names.
    Refused,
}

impl Client {
    /// What was found for each reference, in order. The first failure that concerns more than one
    /// secret ends the look-up.
    pub(crate) async fn look_up(
        &self,
        references: &[SecretRef],
        with_values: bool,
    ) -> Result<Vec<Found>> {
        let most = self.concurrent_reads();
        let batches: Vec<_> =
            references.chunks(BATCH).map(|batch| self.look_up_batch(batch, with_values)).collect();
        let known: Vec<Vec<BatchEntry>> = try_join_ordered(batches, most).await?;
        let mut found = Vec::with_capacity(references.len());
        let mut left = Vec::new();
        for (reference, known) in references.iter().zip(known.into_iter().flatten()) {
            match from_batch(known, with_values) {
                Ok(one) => found.push(one),
                Err(known) => {
                    left.push((found.len(), reference, known));
                    found.push(Found::Missing);
                }
            }
        }
        // All secrets that are read one by one share a queue, so that the limit applies to the
        // whole call.
        let reads = left.into_iter().map(async |(place, reference, known)| {
            Ok((place, self.settle(reference, known, with_values).await?))
        });
        for (place, read) in try_join_ordered(reads, most).await? {
            if let Some(one) = found.get_mut(place) {
                *one = read;
            }
        }
        Ok(found)
    }

    async fn look_up_batch(
        &self,
        batch: &[SecretRef],
        with_values: bool,
    ) -> Result<Vec<BatchEntry>> {
        let secrets = match self.list_by_fqns(batch, with_values).await {
            Ok(secrets) => secrets,
            Err(error) if may_be_one_of_them(&error) => {
                // The refusal of a single name is already the result.
                let known =
                    || if batch.len() == 1 { BatchEntry::Absent } else { BatchEntry::Refused };
                return Ok(batch.iter().map(|_| known()).collect());
            }
            Err(error) => return Err(error),
        };
        let known = |secret: Option<Secret>| match secret {
            Some(secret) => BatchEntry::Listed(Box::new(secret)),
            None => BatchEntry::Absent,
        };
        Ok(secrets.into_iter().map(known).collect())
    }

    async fn settle(
        &self,
        reference: &SecretRef,
        known: BatchEntry,
        with_values: bool,
    ) -> Result<Found> {
        let secret = match known {
            BatchEntry::Listed(secret) => Some(*secret),
            BatchEntry::Absent => None,
            BatchEntry::Refused => {
                match self.list_by_fqns(std::slice::from_ref(reference), with_values).await {
                    Ok(secrets) => secrets.into_iter().next().flatten(),
                    Err(error) if may_be_one_of_them(&error) => None,
                    Err(error) => return Err(error),
                }
            }
        };
        match secret {
            None => Ok(Found::Missing),
            Some(_) if !with_values => Ok(Found::Present),
            Some(secret) => self.value_of(secret).await,
        }
    }

    /// What the server lists under each of these names, whatever else it lists.
    async fn list_by_fqns(
        &self,
        batch: &[SecretRef],
        with_values: bool,
    ) -> Result<Vec<Option<Secret>>> {
        let mut params = ListSecrets::by_fqns(batch.iter().map(SecretRef::fqn)).limit(BATCH as u64);
        if with_values {
            params = params.with_values();
        }
        let places: HashMap<&str, usize> =
            batch.iter().enumerate().map(|(place, asked)| (asked.fqn(), place)).collect();
        let mut secrets: Vec<Option<Secret>> = batch.iter().map(|_| None).collect();
        let mut missing = batch.len();
        let mut pages = self.secrets().stream(params);
        // A server that does not know the filter lists everything: stop once all names are found.
        while missing > 0 {
            let Some(secret) = pages.next().await.transpose()? else { break };
            let place = secret.fqn().and_then(|fqn| places.get(fqn));
            if let Some(known) = place.and_then(|place| secrets.get_mut(*place)) {
                missing -= usize::from(known.is_none());
                *known = Some(secret);
            }
        }
        Ok(secrets)
    }

    /// The value that came with the list, otherwise the one from the secret's own endpoint.
    pub(super) async fn value_of(&self, secret: Secret) -> Result<Found> {
        let id = secret.id().clone();
        if let Ok(value) = secret.into_value() {
            return Ok(Found::Value(value));
        }
        match self.secrets().get(id).await.map(Secret::into_value) {
            Ok(Ok(value)) => Ok(Found::Value(value)),
            Ok(Err(_)) | Err(Error::PermissionDenied { .. }) => Ok(Found::Hidden),
            // It was deleted after it was listed.
            Err(Error::NotFound { .. }) => Ok(Found::Missing),
            Err(error) => Err(error),
        }
    }
}

/// The result from the batch alone, which is nearly always enough.
fn from_batch(known: BatchEntry, with_values: bool) -> Result<Found, BatchEntry> {
    match known {
        BatchEntry::Absent => Ok(Found::Missing),
        BatchEntry::Listed(_) if !with_values => Ok(Found::Present),
        BatchEntry::Listed(secret) if secret.value().is_some() => {
            secret.into_value().map_or_else(|_| Ok(Found::Hidden), |value| Ok(Found::Value(value)))
        }
        known => Err(known),
    }
}

/// Runs at most `most` calls at a time, and ends with the first failure, even while an earlier call
/// is still running.
pub(crate) async fn try_join_ordered<T>(
    calls: impl IntoIterator<Item = impl Future<Output = Result<T>>>,
    most: usize,
) -> Result<Vec<T>> {
    let numbered = calls
        .into_iter()
        .enumerate()
        .map(async |(place, call)| Ok::<_, Error>((place, call.await?)))
        .collect::<Vec<_>>();
    let mut done: Vec<_> = stream::iter(numbered).buffer_unordered(most).try_collect().await?;
    done.sort_unstable_by_key(|(place, _)| *place);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

/// A whole request may be refused if one of its names does not exist, or is not visible to this
/// key.
fn may_be_one_of_them(error: &Error) -> bool {
    matches!(error, Error::NotFound { .. } | Error::PermissionDenied { .. })
}
