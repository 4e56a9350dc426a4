//! Whether to retry a request, and when. Pure decisions; the loop is in [`crate::transport`].

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;

use crate::operation::Idempotency;

/// How often and how soon a failed request is retried.
///
/// Default: 3 retries (4 attempts), exponential backoff with full jitter (up to 200, 400, 800 ms, …, at
/// most 5 s), in addition to `Retry-After`. No wait goes past the call's deadline
/// ([`ClientBuilder::timeout`](crate::ClientBuilder::timeout)): if it would, the failure is returned at
/// once.
///
/// Clones of a client share a budget, so that retries do not hammer a service that is down. It
/// starts with 100 retries, which is also its maximum. Each call earns a tenth of a retry, and the
/// retries of a call that succeeds are paid back. If the budget is empty, the failure is returned
/// at once.
///
/// What is retried depends on the operation. If no connection could be made, every operation is
/// retried, unless a certificate or a proxy is the reason. After 408, 429, 500, 502, 503, 504 and
/// lost responses, only reads and deletes are retried, never a create or an update.
///
/// ```no_run
/// # fn f() -> truefoundry_secrets::Result<()> {
/// use std::time::Duration;
/// use truefoundry_secrets::{ClientBuilder, RetryPolicy};
///
/// let retry = RetryPolicy::default().max_retries(5).max_delay(Duration::from_secs(2));
/// let client = ClientBuilder::from_env().retry(retry).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RetryPolicy {
    max_retries: u32,
    base_delay: Duration,
    max_delay: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_retries: 3,
            base_delay: Duration::from_millis(200),
            max_delay: Duration::from_secs(5),
        }
    }
}

impl RetryPolicy {
    /// Never retries.
    pub fn none() -> Self {
        Self { max_retries: 0, ..Self::default() }
    }

    /// The maximum number of retries; 0 switches retries off. Default: 3.
    #[must_use]
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.max_retries = retries;
        self
    }

    /// The maximum wait before the first retry, doubled for each further one. Default: 200 ms.
    #[must_use]
    pub fn base_delay(mut self, delay: Duration) -> Self {
        self.base_delay = delay;
        self
    }

    /// The maximum wait that the client chooses itself. Default: 5 s.
    #[must_use]
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    pub(crate) fn allows(&self, attempts: u32) -> bool {
        attempts <= self.max_retries
    }

    /// The wait after `attempts` attempts; `fraction` is random in `0.0..1.0`.
    pub(crate) fn delay(&self, attempts: u32, fraction: f64) -> Duration {
        let doublings = attempts.saturating_sub(1).min(20);
        let ceiling = self.base_delay.saturating_mul(1 << doublings).min(self.max_delay);
        ceiling.mul_f64(fraction.clamp(0.0, 1.0))
    }
}

/// The outcome of one attempt, as far as retries are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptOutcome {
    /// No connection was made: nothing reached the server.
    NeverSent,
    /// The response was lost or cut: the server may have done it.
    Lost,
    /// The server responded with this failure.
    Responded(u16),
    /// No connection can be made: a certificate is not trusted, or a proxy refuses.
    Refused,
    /// The server may have done it, but its response cannot be read: it is over the limit, not JSON, or
    /// not HTTP.
    Unreadable,
}

impl AttemptOutcome {
    /// Whether the operation may be retried after this.
    pub(crate) fn allows_retry(self, idempotency: Idempotency) -> bool {
        match self {
            Self::NeverSent => true,
            Self::Lost | Self::Responded(408 | 429 | 500 | 502 | 503 | 504) => {
                idempotency != Idempotency::NonIdempotent
            }
            Self::Responded(_) | Self::Refused | Self::Unreadable => false,
        }
    }

    /// Whether the server may have done the work despite this failure.
    ///
    /// A refusal (4xx) says that nothing was done; 408 does not, and neither does 424: the store behind
    /// the platform can fail midway.
    pub(crate) fn is_unclear(self) -> bool {
        match self {
            Self::Lost | Self::Unreadable => true,
            Self::Responded(status) => matches!(status, 408 | 424 | 500..),
            Self::NeverSent | Self::Refused => false,
        }
    }
}

/// Keeps retries from hammering a service that is down.
///
/// Each call earns a tenth of a retry, a retry that succeeds is paid back, and the budget holds at
/// most 100 retries, so that 1,000 calls into a dead service make at most 1,200 requests.
#[derive(Debug)]
pub(crate) struct Budget(AtomicU32);

impl Budget {
    const RETRY: u32 = 10;
    const CALL: u32 = 1;
    const FULL: u32 = 100 * Self::RETRY;

    pub(crate) fn new() -> Self {
        Self(AtomicU32::new(Self::FULL))
    }

    pub(crate) fn earn(&self) {
        self.add(Self::CALL);
    }

    pub(crate) fn pay_back(&self, retries: u32) {
        self.add(retries.saturating_mul(Self::RETRY));
    }

    pub(crate) fn spend(&self) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |purse| {
                purse.checked_sub(Self::RETRY)
            })
            .is_ok()
    }

    fn add(&self, amount: u32) {
        // The usual case is a full budget: one load, and no write that other cores would have to
        // see.
        if self.0.load(Ordering::Relaxed) < Self::FULL {
            let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |purse| {
                Some(purse.saturating_add(amount).min(Self::FULL))
            });
        }
    }
}

/// Upper bound of a wait: a longer one means no more than "not now", and callers may add a wait to
/// the current time.
const MAX_WAIT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How long the server asks to wait: `retry-after-ms`, `Retry-After` in seconds or as a date (a
/// past one means no wait); otherwise, with 429 only, `x-ratelimit-reset` in seconds or as a time
/// since 1970: gateways send it with every response, to say when the window ends. Nonsense gives
/// `None`, and a wait is at most a year.
pub(crate) fn retry_after(status: u16, headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let milliseconds = || text("retry-after-ms")?.parse().ok().map(Duration::from_millis);
    let until = |time: SystemTime| time.duration_since(now).unwrap_or_default();
    let wait = || {
        let value = text("retry-after")?;
        let date = || httpdate::parse_http_date(value).ok().map(until);
        value.parse().ok().map(Duration::from_secs).or_else(date)
    };
    let reset = || {
        let seconds: u64 = text("x-ratelimit-reset").filter(|_| status == 429)?.parse().ok()?;
        // A wait of over 30 years is a point in time.
        if seconds <= 1_000_000_000 {
            return Some(Duration::from_secs(seconds));
        }
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        Some(Duration::from_secs(seconds.saturating_sub(now.as_secs())))
    };
    milliseconds().or_else(wait).or_else(reset).map(|wait| wait.min(MAX_WAIT))
}

/// A random number in `0.0..1.0`, from the standard library's per-process hash keys: jitter needs no
/// more, and it saves a dependency.
pub(crate) fn fraction() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    let bits = RandomState::new().hash_one(0_u8) >> 32;
    f64::from(u32::try_from(bits).unwrap_or_default()) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_cap_and_jitter_goes_down_to_nothing() {
        let policy = RetryPolicy::default();
        let most: Vec<_> = (1..=7).map(|n| policy.delay(n, 1.0).as_millis()).collect();
        assert_eq!(most, [200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(policy.delay(3, 0.0), Duration::ZERO);
        assert_eq!(policy.delay(3, 0.5), Duration::from_millis(400));
        assert_eq!(policy.delay(u32::MAX, 1.0), Duration::from_secs(5));
        assert!((0..1000).map(|_| fraction()).all(|f| (0.0..1.0).contains(&f)));
    }

    #[test]
    fn a_write_is_retried_only_if_nothing_can_have_been_done() {
        for outcome in
            [AttemptOutcome::Lost, AttemptOutcome::Responded(503), AttemptOutcome::Responded(429)]
        {
            assert!(!outcome.allows_retry(Idempotency::NonIdempotent), "{outcome:?}");
            assert!(outcome.allows_retry(Idempotency::Safe), "{outcome:?}");
            assert!(outcome.allows_retry(Idempotency::Idempotent), "{outcome:?}");
        }
        assert!(AttemptOutcome::NeverSent.allows_retry(Idempotency::NonIdempotent));
        for status in [400, 401, 403, 404, 409, 422, 424, 501, 505] {
            assert!(!AttemptOutcome::Responded(status).allows_retry(Idempotency::Safe), "{status}");
        }
    }

    #[test]
    fn a_thousand_calls_into_a_dead_service_make_at_most_1200_requests() {
        let budget = Budget::new();
        let mut requests = 0;
        for _ in 0..1000 {
            budget.earn();
            requests += 1;
            for _ in 0..3 {
                requests += u32::from(budget.spend());
            }
        }
        assert!((1190..=1200).contains(&requests), "{requests}");
    }

    #[test]
    fn retries_that_succeed_are_paid_back() {
        let budget = Budget::new();
        for _ in 0..10_000 {
            assert!(budget.spend());
            budget.pay_back(1);
        }
    }

    #[test]
    fn every_form_of_retry_after_is_read_and_nonsense_is_not() {
        let now = UNIX_EPOCH + Duration::from_secs(1_795_435_200);
        let of = |status, name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            retry_after(status, &headers, now)
        };
        let wait = |name, value: &str| of(429, name, value);
        let seconds = |s| Some(Duration::from_secs(s));
        assert_eq!(wait("retry-after", "7"), seconds(7));
        assert_eq!(wait("retry-after", " 0 "), seconds(0));
        assert_eq!(wait("retry-after", "Mon, 23 Nov 2026 12:01:30 GMT"), seconds(90));
        assert_eq!(wait("retry-after", "Mon, 23 Nov 2026 11:00:00 GMT"), seconds(0));
        assert_eq!(wait("retry-after", "Monday, 23-Nov-26 12:01:30 GMT"), seconds(90));
        assert_eq!(wait("retry-after", "Mon Nov 23 12:01:30 2026"), seconds(90));
        assert_eq!(wait("retry-after", "Sunday, 06-Nov-94 08:49:37 GMT"), seconds(0));
        assert_eq!(wait("retry-after", "18446744073709551615"), Some(MAX_WAIT));
        assert_eq!(wait("retry-after", "Tue, 23 Nov 2077 11:00:00 GMT"), Some(MAX_WAIT));
        assert_eq!(wait("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT"), Some(MAX_WAIT));
        assert_eq!(wait("retry-after-ms", "1500"), Some(Duration::from_millis(1500)));
        assert_eq!(wait("x-ratelimit-reset", "30"), seconds(30));
        assert_eq!(wait("x-ratelimit-reset", "1795435260"), seconds(60));
        assert_eq!(of(503, "x-ratelimit-reset", "3600"), None);
        assert_eq!(of(503, "retry-after", "3600"), seconds(3600));
        for nonsense in ["", "-1", "soon", "1e3", "99999999999999999999", "Mon, 99 Foo"] {
            assert_eq!(wait("retry-after", nonsense), None, "{nonsense}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_header_is_too_odd(
            status: u16,
            value in proptest::prop_oneof![
                ".{0,60}",
                "[A-Za-z]{3},? ?-?[0-9]{0,2}[ -][A-Za-z]{3}.{0,30}",
                "-?[0-9.]{0,25}",
            ],
        ) {
            for name in ["retry-after", "retry-after-ms", "x-ratelimit-reset"] {
                let mut headers = HeaderMap::new();
                let Ok(value) = http::HeaderValue::from_bytes(value.as_bytes()) else { continue };
                headers.insert(name, value);
                let wait = retry_after(status, &headers, UNIX_EPOCH);
                proptest::prop_assert!(wait.is_none_or(|wait| wait <= MAX_WAIT));
            }
        }
    }
}
