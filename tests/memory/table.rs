//! The scenarios: which value comes how, what is done with it, and how much may be left.

use crate::marker::Shape;
use crate::server::{Framing, Serves};

pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) serves: Serves,
    pub(crate) does: Does,
    /// The runtime's; 0 is the one thread that everything else runs on, too.
    pub(crate) threads: usize,
    /// How many copies, whole and partial, this crate may leave.
    pub(crate) most: usize,
}

#[derive(Clone, Copy)]
pub(crate) enum Does {
    /// So often.
    Get(usize),
    /// 20 times, and then until it is 200.
    #[cfg(feature = "rustls")]
    GetMore,
    /// A long list first, on the same connection.
    GetAfterList,
    Resolve(usize),
    Create,
    Edit,
    GetCancelled,
    CreateCancelled,
    GetFails,
    CreateRefused,
    PanicDuringGet,
    PanicWithValue,
    /// The value is the API key, and the client is dropped.
    Key,
}

/// How much of a value the buffers of the TLS library may hold or have left, with one connection.
#[cfg(feature = "rustls")]
const MOST_OVER_TLS: usize = 6;
/// hyper's own buffer with the head of a request, one for the one connection.
const MOST_OF_THE_KEY: usize = 1;

const fn plain(name: &'static str, shape: Shape, framing: Framing, does: Does) -> Scenario {
    Scenario { name, shape, serves: Serves::Secret(framing), does, threads: 0, most: 0 }
}

const fn on(serves: Serves, name: &'static str, shape: Shape, does: Does) -> Scenario {
    Scenario { name, shape, serves, does, threads: 0, most: 0 }
}

use Framing::{Chunks, Cut, Garbled, Length, List, Stalled};
use Shape::{Long, Pem, Short};

pub(crate) const ALL: &[Scenario] = &[
    plain("get", Short, Length, Does::Get(1)),
    plain("get, 20 times", Short, Length, Does::Get(20)),
    plain("get, 200 times", Short, Length, Does::Get(200)),
    Scenario { threads: 2, ..plain("get, 20 times, on threads", Short, Length, Does::Get(20)) },
    plain("get in chunks of 7 bytes", Short, Chunks(7), Does::Get(1)),
    plain("get in chunks of 1000 bytes", Pem, Chunks(1000), Does::Get(1)),
    plain("get a PEM key", Pem, Length, Does::Get(1)),
    plain("get a PEM key, 20 times", Pem, Length, Does::Get(20)),
    // The end of a long answer can stay with hyper until the next request for values.
    plain("get 400 KB, twice", Long, Length, Does::Get(2)),
    plain("get 400 KB in chunks, twice", Long, Chunks(3000), Does::Get(2)),
    on(Serves::SecretAndList, "get after a long list, 20 times", Short, Does::GetAfterList),
    on(Serves::Fake, "resolve_group", Short, Does::Resolve(1)),
    on(Serves::Fake, "resolve_group of PEM keys, 20 times", Pem, Does::Resolve(20)),
    on(Serves::Fake, "create", Pem, Does::Create),
    on(Serves::Fake, "create with 400 KB", Long, Does::Create),
    on(Serves::Fake, "edit", Pem, Does::Edit),
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
    Scenario { most: MOST_OF_THE_KEY, ..plain("API key", Short, Length, Does::Key) },
    #[cfg(feature = "rustls")]
    Scenario {
        most: MOST_OVER_TLS,
        ..on(Serves::SecretOverTls, "get over TLS", Short, Does::Get(1))
    },
    #[cfg(feature = "rustls")]
    Scenario {
        most: MOST_OVER_TLS,
        ..on(Serves::SecretOverTls, "get over TLS, 20 times", Short, Does::GetMore)
    },
    #[cfg(feature = "rustls")]
    Scenario {
        most: MOST_OVER_TLS,
        ..on(
            Serves::SecretOverTls,
            "get over TLS after a long list, 20 times",
            Short,
            Does::GetAfterList,
        )
    },
];

impl Scenario {
    /// The same in every run, and another for each scenario.
    pub(crate) fn seed(&self) -> u64 {
        self.name.bytes().fold(1, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(byte.into()))
    }
}
