//! Measuring a case: both sides by turns, so that what disturbs the machine disturbs both.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::cases::Case;
use crate::guest::Compiled;
use crate::native::Native;
use crate::trigger::Trigger;

/// How much is measured.
#[derive(Clone, Copy)]
pub struct Effort {
    pub rounds: u32,
    /// How long one side's part of a round should take, where it can be chosen.
    pub part: Duration,
}

/// Nanoseconds for a unit, one number for each round.
pub struct Times {
    pub native: Option<Vec<f64>>,
    pub guest: Vec<f64>,
}

/// The least: all else is what disturbed it.
pub fn least(times: &[f64]) -> f64 {
    times.iter().copied().fold(f64::INFINITY, f64::min)
}

/// The one in the middle.
pub fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

impl Times {
    /// How many times longer the guest takes.
    pub fn ratio(&self) -> Option<f64> {
        Some(least(&self.guest) / least(self.native.as_deref()?))
    }
}

/// One side's part of a round.
struct Part {
    took: Duration,
    sum: u64,
}

fn time(
    fill: Option<Trigger>,
    iterations: u32,
    mut run: impl FnMut(u32) -> Result<u64>,
) -> Result<Part> {
    if let Some(trigger) = fill {
        trigger.pull()?;
    }
    let start = Instant::now();
    let sum = run(iterations)?;
    Ok(Part {
        took: start.elapsed(),
        sum,
    })
}

/// Measures a case, and makes sure that both sides did the same.
pub fn measure(
    case: &Case,
    compiled: &Compiled,
    object: &[u8],
    effort: Effort,
    mut progress: impl FnMut(u32),
) -> Result<Times> {
    let mut guest = compiled.prepare(case.name, Trigger::guest())?;
    let mut native = match case.native {
        Some(prepare) => Some(prepare(object, Trigger::native())?),
        None => None,
    };
    let fill = |trigger| case.consumes.then_some(trigger);

    let mut iterations = 1;
    while !case.consumes && iterations < 1 << 24 {
        let part = time(None, iterations, |iterations| guest.run(iterations))?;
        if part.took >= effort.part {
            break;
        }
        iterations *= 2;
    }

    let mut times = Times {
        native: native.is_some().then(Vec::new),
        guest: Vec::new(),
    };
    let per_unit =
        |part: &Part| part.took.as_nanos() as f64 / f64::from(iterations) / f64::from(case.units);
    for round in 0..effort.rounds {
        progress(round);
        let mut guest_part = || {
            time(fill(Trigger::guest()), iterations, |iterations| {
                guest.run(iterations)
            })
        };
        let native_part = |native: &mut dyn Native| {
            time(fill(Trigger::native()), iterations, |iterations| {
                native.run(iterations)
            })
        };
        let (native_part, guest_part) = match &mut native {
            // Who goes first finds another cache than who goes second.
            Some(native) if round % 2 == 0 => {
                let first = native_part(&mut **native)?;
                (Some(first), guest_part()?)
            }
            Some(native) => {
                let first = guest_part()?;
                (Some(native_part(&mut **native)?), first)
            }
            None => (None, guest_part()?),
        };
        times.guest.push(per_unit(&guest_part));
        if let (Some(native), Some(part)) = (&mut native, native_part) {
            ensure!(
                part.sum == guest_part.sum,
                "the native side read {:#x} in all, the guest {:#x}",
                part.sum,
                guest_part.sum
            );
            let (by_native, by_guest) = (native.written()?, guest.written()?);
            ensure!(
                by_native == by_guest,
                "the native side wrote {by_native:#x} in all, the guest {by_guest:#x}"
            );
            ensure!(
                part.sum != 0 || by_native != 0,
                "neither side read or wrote anything"
            );
            times.native.get_or_insert_default().push(per_unit(&part));
        } else {
            ensure!(
                guest_part.sum == u64::from(iterations),
                "the guest made {} calls in place of {iterations}",
                guest_part.sum
            );
        }
    }
    Ok(times)
}
