//! A source of tokens that follows a script.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use truefoundry_secrets::testing::FakeTrueFoundry;
use truefoundry_secrets::{BoxError, Client, Credentials, RetryPolicy, SecretValue, Token};

use crate::support::{TENANT, builder};

/// What the source does the next time it is asked.
#[derive(Clone)]
pub(crate) enum Step {
    Token(&'static str),
    /// It expires this long after it is given.
    Expiring(&'static str, Duration),
    Fail(&'static str),
    Hang,
    Panic,
}

/// Gives these in turn, and the last one for ever.
#[derive(Clone)]
pub(crate) struct Source(Arc<Mutex<State>>);

struct State {
    steps: VecDeque<Step>,
    /// What was rejected, for each time that it was asked.
    asked: Vec<Option<String>>,
    /// How long it takes.
    takes: Duration,
}

impl Source {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self::slow(Duration::ZERO, steps)
    }

    pub(crate) fn slow(takes: Duration, steps: impl IntoIterator<Item = Step>) -> Self {
        let (steps, asked) = (steps.into_iter().collect(), Vec::new());
        Self(Arc::new(Mutex::new(State { steps, asked, takes })))
    }

    pub(crate) fn asked(&self) -> Vec<Option<String>> {
        self.0.lock().unwrap().asked.clone()
    }

    pub(crate) fn times(&self) -> usize {
        self.asked().len()
    }

    fn next(&self, rejected: Option<&SecretValue>) -> (Step, Duration) {
        let mut state = self.0.lock().unwrap();
        state.asked.push(rejected.map(|token| token.expose_secret().to_owned()));
        let step = if state.steps.len() > 1 {
            state.steps.pop_front().unwrap()
        } else {
            state.steps[0].clone()
        };
        (step, state.takes)
    }
}

impl Credentials for Source {
    fn token<'a>(
        &'a self,
        rejected: Option<&'a SecretValue>,
    ) -> futures_util::future::BoxFuture<'a, Result<Token, BoxError>> {
        let (step, takes) = self.next(rejected);
        Box::pin(async move {
            tokio::time::sleep(takes).await;
            match step {
                Step::Token(text) => Ok(Token::new(text)),
                Step::Expiring(text, left) => {
                    let left = SignedDuration::try_from(left).unwrap();
                    Ok(Token::new(text).expires_at(Timestamp::now() + left))
                }
                Step::Fail(text) => Err(text.into()),
                Step::Hang => std::future::pending().await,
                Step::Panic => panic!("the source panics"),
            }
        })
    }
}

/// A client of the server at this URL, without retries.
pub(crate) fn client(url: impl Into<String>, source: &Source) -> Client {
    let builder = builder(url).tenant(TENANT).retry(RetryPolicy::none());
    builder.credentials(source.clone()).build().unwrap()
}

/// An access token that the server accepts.
pub(crate) fn token(fake: &FakeTrueFoundry) -> &'static str {
    fake.login().access_token().to_owned().leak()
}
