//! When to check next.

use std::time::Duration;

/// The delay of the first check after the load: anything up to the interval, so that the processes
/// of one deployment do not ask at the same time. `fraction` is from 0 to 1.
pub(super) fn first(interval: Duration, fraction: f64) -> Duration {
    interval.mul_f64(fraction)
}

/// The delay of a later check: the interval give or take 10 %, after a failure too, so that an
/// outage does not synchronize the processes.
pub(super) fn next(interval: Duration, fraction: f64) -> Duration {
    interval.mul_f64(0.9 + 0.2 * fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 10,000 watches that start at once, an outage that all of them meet, and then the busiest second.
    #[test]
    fn neither_a_start_nor_an_outage_makes_a_herd() {
        const WATCHES: u32 = 10_000;
        let interval = Duration::from_secs(60);
        let fraction =
            |seed: u32| f64::from(seed.wrapping_mul(2_654_435_761)) / f64::from(u32::MAX);
        let mut seconds = vec![0_u32; 400];
        for watch in 0..WATCHES {
            let mut at = first(interval, fraction(watch));
            for tick in 0..5 {
                seconds[usize::try_from(at.as_secs()).unwrap()] += 1;
                at += next(interval, fraction(watch.wrapping_mul(31).wrapping_add(tick * 7919)));
            }
        }
        let worst = seconds.iter().max().unwrap();
        assert!(*worst <= 2 * WATCHES / 60, "{worst} in one second");
    }
}
