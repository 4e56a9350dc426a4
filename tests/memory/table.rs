//! The scenarios: the value and how it is sent, what is done with it, and how much may be left.

use crate::counts::Copies;
use crate::marker::Shape;
use crate::server::{Framing, Serves};

pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) serves: Serves,
    pub(crate) does: Does,
    /// The runtime's worker threads; 0 means the one thread that everything else runs on.
    pub(crate) threads: usize,
    /// How many copies this crate may leave.
    pub(crate) most: Copies,
}

#[derive(Clone, Copy)]
pub(crate) enum Does {
    /// This many times.
    Get(usize),
    /// 20 times, and then until it is 200.
    #[cfg(feature = "rustls")]
    GetMore,
    /// A long list first, on the same connection.
    GetAfterList,
    /// Eight at the same time, in 20 rounds.
    GetTogether,
    /// On a connection that could not be ended after a long list, until it is ended a second later.
    GetUntilEnded,
    Resolve(usize),
    /// Eight at the same time, in 20 rounds.
    ResolveTogether,
    /// Watches the group over 200 rotations.
    Watch,
    Create,
    Edit,
    /// Reads the existing values, to compare them.
    Sync,
    GetCancelled,
    CreateCancelled,
    GetFails,
    CreateRefused,
    PanicDuringGet,
    PanicWithValue,
    /// The value is the API key, and the client is dropped.
    Key,
    /// The value is in a key file, at first and at every second read of it.
    KeyFile,
}

// What is left depends on the libraries below, so each bound is the largest count of 20 runs. With
// a larger bound a scenario passes even without wiping.
/// The TLS library's buffer of each connection holds what it decrypted last. The library frees its other copies
/// unwiped; how much of them is overwritten depends on where they happen to be, and thus on the build.
#[cfg(feature = "rustls")]
const fn of_tls(connections: usize) -> Copies {
    Copies { whole: connections, partial: 3 * connections }
}
const NONE: Copies = Copies { whole: 0, partial: 0 };
/// hyper's own buffer with the head of a request, one for the one connection.
const OF_THE_KEY: Copies = Copies { whole: 1, partial: 0 };

const fn plain(name: &'static str, shape: Shape, framing: Framing, does: Does) -> Scenario {
    Scenario { name, shape, serves: Serves::Secret(framing), does, threads: 0, most: NONE }
}

const fn on(serves: Serves, name: &'static str, shape: Shape, does: Does) -> Scenario {
    Scenario { name, shape, serves, does, threads: 0, most: NONE }
}

#[cfg(feature = "rustls")]
const fn over_tls(name: &'static str, does: Does) -> Scenario {
    on(Serves::SecretOverTls, name, Shape::Short, does).leaving(of_tls(1))
}

use Framing::{Chunks, Cut, Garbled, Length, List, Stalled};
use Shape::{Long, Pem, Short};

pub(crate) const ALL: &[Scenario] = &[
    plain("get", Short, Length, Does::Get(1)),
    plain("get, 20 times", Short, Length, Does::Get(20)),
    plain("get, 200 times", Short, Length, Does::Get(200)),
    plain("get, 20 times, on threads", Short, Length, Does::Get(20)).on_threads(),
    plain("get in chunks of 7 bytes", Short, Chunks(7), Does::Get(1)),
    plain("get in chunks of 1000 bytes", Pem, Chunks(1000), Does::Get(1)),
    plain("get a PEM key", Pem, Length, Does::Get(1)),
    plain("get a PEM key, 20 times", Pem, Length, Does::Get(20)),
    // The end of a long response can stay with hyper until the next request for values.
    plain("get 400 KB, twice", Long, Length, Does::Get(2)),
    plain("get 400 KB in chunks, twice", Long, Chunks(3000), Does::Get(2)),
    on(Serves::SecretAndList, "get after a long list, 20 times", Short, Does::GetAfterList),
    on(Serves::SecretAndList, "get until the connection is ended", Short, Does::GetUntilEnded),
    plain("8 gets at once", Short, Length, Does::GetTogether),
    plain("8 gets at once, on threads", Short, Length, Does::GetTogether).on_threads(),
    on(Serves::Fake, "resolve_group of PEM keys, 20 times", Pem, Does::Resolve(20)),
    on(Serves::Fake, "resolve_group of PEM keys, 8 at once", Pem, Does::ResolveTogether),
    on(Serves::Rotating, "watch of PEM keys, 200 rotations", Pem, Does::Watch),
    on(Serves::Fake, "create", Pem, Does::Create),
    on(Serves::Fake, "create with 400 KB", Long, Does::Create),
    on(Serves::Fake, "edit", Pem, Does::Edit),
    on(Serves::Fake, "sync", Pem, Does::Sync),
    plain("get, cancelled", Short, Stalled, Does::GetCancelled),
    plain("get a PEM key, cancelled", Pem, Stalled, Does::GetCancelled),
    on(Serves::Silence, "create, cancelled", Pem, Does::CreateCancelled),
    plain("get, cut off", Short, Cut, Does::GetFails),
    plain("get, not JSON", Short, Garbled, Does::GetFails),
    plain("get, not a string", Pem, List, Does::GetFails),
    on(Serves::Refusal, "create, refused with the value quoted", Short, Does::CreateRefused),
    on(Serves::Refusal, "create, refused with a PEM key quoted", Pem, Does::CreateRefused),
    plain("panic during get", Short, Stalled, Does::PanicDuringGet),
    plain("panic with the value in hand", Short, Length, Does::PanicWithValue),
    plain("API key", Short, Length, Does::Key).leaving(OF_THE_KEY),
    on(Serves::SecretAndList, "key file, replaced 20 times", Short, Does::KeyFile),
    #[cfg(feature = "rustls")]
    over_tls("get over TLS", Does::Get(1)),
    #[cfg(feature = "rustls")]
    over_tls("get over TLS, 20 times", Does::GetMore),
    #[cfg(feature = "rustls")]
    over_tls("get over TLS after a long list, 20 times", Does::GetAfterList),
    #[cfg(feature = "rustls")]
    over_tls("8 gets at once over TLS", Does::GetTogether).leaving(of_tls(8)),
    #[cfg(feature = "rustls")]
    over_tls("8 gets at once over TLS, on threads", Does::GetTogether)
        .leaving(of_tls(8))
        .on_threads(),
];

impl Scenario {
    const fn leaving(mut self, most: Copies) -> Self {
        self.most = most;
        self
    }

    const fn on_threads(mut self) -> Self {
        self.threads = 2;
        self
    }

    /// The control build cannot switch off `secrecy`, which wipes the values that a watch replaces.
    /// The scan finds a replaced value while its `Arc` is held, which shows that the scenario of
    /// the watch can fail.
    pub(crate) fn can_fail_in_this_build(&self) -> bool {
        cfg!(not(truefoundry_no_wipe)) || !matches!(self.does, Does::Watch)
    }

    /// The same in every run, and another for each scenario.
    pub(crate) fn seed(&self) -> u64 {
        self.name.bytes().fold(1, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(byte.into()))
    }
}
