//! The client's token and its refresh. At most one refresh is under way at a time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use http::header::HeaderMap;
use tokio::sync::watch;
use tokio::time::timeout;

use super::{Credentials, KeptToken, Token};
use crate::error::{BoxError, SharedError};
use crate::redact::{Scrubber, WITHHELD, Wait};
use crate::secret_value::SecretValue;
use crate::transport::trace;

/// Time limit for a source.
const MAX_ASK: Duration = Duration::from_secs(20);

type Outcome = Result<Arc<KeptToken>, SharedError>;

/// Keeps the token of a client and its clones.
pub(crate) struct TokenKeeper {
    /// What every request carries in addition to the token.
    common: HeaderMap,
    /// `None` if the key is fixed.
    source: Option<Arc<dyn Credentials>>,
    kept: ArcSwapOption<KeptToken>,
    refresh: Mutex<Option<Refresh>>,
}

/// A refresh under way, in a task of its own.
struct Refresh {
    /// The refused token that was passed to the source.
    refused: Option<Arc<KeptToken>>,
    outcome: watch::Receiver<Option<Outcome>>,
}

impl TokenKeeper {
    /// Keeps one key for ever.
    ///
    /// # Errors
    /// What is wrong with the key, without quoting it.
    pub(crate) fn fixed(common: HeaderMap, key: SecretValue) -> Result<Self, &'static str> {
        let kept = KeptToken::new(&common, &Token::new(key))?;
        let kept = ArcSwapOption::from_pointee(kept);
        Ok(Self { common, source: None, kept, refresh: Mutex::default() })
    }

    pub(crate) fn of(common: HeaderMap, source: Arc<dyn Credentials>) -> Self {
        let source = Some(source);
        Self { common, source, kept: ArcSwapOption::empty(), refresh: Mutex::default() }
    }

    /// What every request carries in addition to the token.
    pub(crate) fn common(&self) -> &HeaderMap {
        &self.common
    }

    /// The token in use, if there is one yet.
    pub(crate) fn newest(&self) -> Option<Arc<KeptToken>> {
        self.kept.load_full()
    }

    /// The token to use. Waits for the source if it has to be asked, at most for `limit`.
    ///
    /// # Errors
    /// Why no token could be obtained.
    pub(crate) async fn token(self: &Arc<Self>, limit: Duration) -> Outcome {
        match self.usable(None) {
            Some(kept) => Ok(kept),
            None => Box::pin(self.refreshed(None, limit)).await,
        }
    }

    /// A token other than the refused one; `None` if no other exists.
    ///
    /// # Errors
    /// Why the source failed.
    pub(crate) async fn another(
        self: &Arc<Self>,
        refused: &Arc<KeptToken>,
        limit: Duration,
    ) -> Result<Option<Arc<KeptToken>>, SharedError> {
        if self.source.is_none() {
            return Ok(None);
        }
        let kept = Box::pin(self.refreshed(Some(refused), limit)).await?;
        Ok((!kept.is_same_as(refused)).then_some(kept))
    }

    fn usable(&self, refused: Option<&KeptToken>) -> Option<Arc<KeptToken>> {
        self.newest().filter(|kept| match refused {
            Some(refused) => !kept.is_same_as(refused),
            None => !kept.is_due(),
        })
    }

    async fn refreshed(
        self: &Arc<Self>,
        refused: Option<&Arc<KeptToken>>,
        limit: Duration,
    ) -> Outcome {
        let in_use = self.newest().filter(|kept| refused.is_none() && kept.is_good());
        // While a token is still good, the call keeps half of its time to go on with it.
        let limit = if in_use.is_some() { limit / 2 } else { limit };
        match (timeout(limit, self.join(refused)).await, in_use) {
            (Ok(outcome), _) => outcome,
            (Err(_), Some(kept)) => Ok(kept),
            (Err(_), None) => Err(no_token_within(limit).into()),
        }
    }

    /// Waits for the refresh under way, or begins one.
    async fn join(self: &Arc<Self>, refused: Option<&Arc<KeptToken>>) -> Outcome {
        loop {
            let (mut outcome, is_told, is_joined) = {
                let mut refresh = self.refresh.lock().unwrap_or_else(PoisonError::into_inner);
                // Under the lock, because the refresh of another caller may just have ended.
                if let Some(kept) = self.usable(refused.map(AsRef::as_ref)) {
                    return Ok(kept);
                }
                // The runtime of a task can end before the task does.
                let under_way =
                    refresh.as_ref().filter(|refresh| refresh.outcome.has_changed().is_ok());
                if let Some(refresh) = under_way {
                    (refresh.outcome.clone(), refresh.is_told_of(refused), true)
                } else {
                    let refresh = refresh.insert(self.begin(refused.cloned()));
                    (refresh.outcome.clone(), true, false)
                }
            };
            let ended = outcome.wait_for(Option::is_some).await;
            let ended = ended.ok().and_then(|outcome| outcome.clone());
            match (ended, refused) {
                // The source did not know that this token was refused, and returned it once more.
                (Some(Ok(kept)), Some(refused)) if !is_told && kept.is_same_as(refused) => {}
                (Some(outcome), _) => return outcome,
                (None, _) if is_joined => {}
                (None, _) => return Err(BoxError::from("the runtime has ended").into()),
            }
        }
    }

    /// In a task, because a caller that gives up must not cancel a refresh that others wait for, or
    /// a login's refresh between the server's response and the write of its file.
    fn begin(self: &Arc<Self>, refused: Option<Arc<KeptToken>>) -> Refresh {
        let (sender, outcome) = watch::channel(None);
        let (keeper, told) = (Arc::clone(self), refused.clone());
        tokio::spawn(async move {
            let outcome = keeper.renew(told).await;
            // Otherwise it would keep the refused token alive.
            *keeper.refresh.lock().unwrap_or_else(PoisonError::into_inner) = None;
            sender.send_replace(Some(outcome));
        });
        Refresh { refused, outcome }
    }

    async fn renew(self: &Arc<Self>, refused: Option<Arc<KeptToken>>) -> Outcome {
        let (keeper, told) = (Arc::clone(self), refused.clone());
        // A task of its own again, because it may panic.
        let fetched = tokio::spawn(async move { keeper.fetch(told.as_deref()).await }).await;
        let fetched = fetched.unwrap_or_else(|_| Err("the source of credentials panicked".into()));
        let kept = self.newest();
        let kept = match fetched {
            Ok(kept) => kept,
            Err(error) => {
                let known = [kept.as_deref(), refused.as_deref()];
                let error = without_tokens(error, known.into_iter().flatten());
                match kept.filter(|kept| refused.is_none() && kept.is_good()) {
                    Some(kept) => {
                        trace::keeping_token(&*error);
                        kept.asked_in_vain()
                    }
                    None => return Err(error.into()),
                }
            }
        };
        let kept = Arc::new(kept);
        self.kept.store(Some(Arc::clone(&kept)));
        Ok(kept)
    }

    async fn fetch(&self, refused: Option<&KeptToken>) -> Result<KeptToken, BoxError> {
        let Some(source) = &self.source else {
            return Err("no source of credentials is set".into());
        };
        let rejected = refused.map(|refused| SecretValue::from(refused.text()));
        let token = timeout(MAX_ASK, source.token(rejected.as_ref())).await;
        let token = token.map_err(|_| no_token_within(MAX_ASK))??;
        KeptToken::new(&self.common, &token).map_err(|reason| format!("the token {reason}").into())
    }
}

impl Refresh {
    fn is_told_of(&self, refused: Option<&Arc<KeptToken>>) -> bool {
        match (&self.refused, refused) {
            (Some(told), Some(refused)) => told.is_same_as(refused),
            (_, None) => true,
            (None, Some(_)) => false,
        }
    }
}

fn no_token_within(limit: Duration) -> BoxError {
    let text = format!("no token received within {}", Wait(limit));
    std::io::Error::new(std::io::ErrorKind::TimedOut, text).into()
}

/// The error of a source, unless it shows a token in spite of what [`Credentials::token`] says.
fn without_tokens<'a>(error: BoxError, tokens: impl Iterator<Item = &'a KeptToken>) -> BoxError {
    let scrubber = Scrubber::new(tokens.map(KeptToken::text));
    let first: &(dyn std::error::Error + 'static) = &*error;
    let mut causes = std::iter::successors(Some(first), |error| error.source());
    if causes.any(|error| scrubber.shows(&format!("{error} {error:?}"))) {
        return WITHHELD.into();
    }
    error
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// It is wiped with its last owner, so nothing may hold it any longer than the calls that sent it.
    #[tokio::test]
    async fn a_token_that_was_replaced_is_let_go() {
        let given = AtomicU32::new(0);
        let source = move || {
            let number = given.fetch_add(1, Ordering::Relaxed);
            async move { Ok(Token::new(format!("token-{number}"))) }
        };
        let keeper = Arc::new(TokenKeeper::of(HeaderMap::new(), Arc::new(source)));
        let limit = Duration::from_secs(9);
        let first = keeper.token(limit).await.unwrap();
        let second = keeper.another(&first, limit).await.unwrap().unwrap();
        assert_eq!((first.text(), second.text()), ("token-0", "token-1"));
        for _ in 0..9 {
            tokio::task::yield_now().await;
        }
        assert_eq!((Arc::strong_count(&first), Arc::strong_count(&second)), (1, 2));
    }
}
