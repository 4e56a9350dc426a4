//! One test for each area that is walked, and what all of them walked together.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use crate::walk::{Books, Walk};

pub(crate) struct Area {
    name: &'static str,
    walk: fn(&mut Walk),
    /// Walked once per process, by the first test that asks.
    walked: OnceLock<Result<Books, String>>,
}

impl Area {
    pub(crate) const fn new(name: &'static str, walk: fn(&mut Walk)) -> Self {
        Self { name, walk, walked: OnceLock::new() }
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// Fails with the message of the walk's failure, in every test that asks.
    pub(crate) fn books(&self) -> Books {
        let walked = self.walked.get_or_init(|| {
            catch_unwind(AssertUnwindSafe(|| {
                let mut walk = Walk::begin();
                (self.walk)(&mut walk);
                walk.end()
            }))
            .map_err(|panic| {
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or_else(|| panic.downcast_ref::<&str>().map(|&it| it.to_owned()));
                text.unwrap_or_default()
            })
        });
        walked.clone().unwrap_or_else(|failure| panic!("{}: {failure}", self.name))
    }
}

/// The server and the client of an area share its thread, so that their logs are its own.
pub(crate) fn block_on<T>(area: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(area)
}

macro_rules! areas {
    ($($name:ident: $walk:path;)+) => {
        static AREAS: [areas::Area; [$(stringify!($name)),+].len()] = [$(
            areas::Area::new(stringify!($name), |walk| areas::block_on($walk(walk)))
        ),+];

        $(
            #[test]
            fn $name() {
                let area = AREAS.iter().find(|area| area.is(stringify!($name))).unwrap();
                area.books();
            }
        )+
    };
}
