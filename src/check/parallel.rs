//! Questions that have nothing to do with each other are divided among the processors, each with a solver of its own.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread::{self, ScopedJoinHandle};

/// The walk over a dataplane goes deep where networks do.
const STACK: usize = 64 * 1024 * 1024;

/// Fewer questions are answered before a thread has started.
const FEW: usize = 4;

/// Does the work on stretches of `items`; the answers are in their order.
pub(super) fn in_parallel<Q: Sync, A: Send>(items: &[Q], work: impl Fn(&[Q]) -> A + Sync) -> Vec<A> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    if processors == 1 || items.len() < FEW {
        return vec![work(items)];
    }
    let work = &work;
    thread::scope(|scope| {
        let start = |part| thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || work(part));
        let parts = items.chunks(items.len().div_ceil(processors));
        let started: Vec<_> = parts.map(|part| (part, start(part))).collect();
        let finished = started.into_iter().map(|(part, handle)| match handle.map(ScopedJoinHandle::join) {
            Ok(Ok(answer)) => answer,
            Ok(Err(panic)) => resume_unwind(panic),
            // No thread to be had.
            Err(_) => work(part),
        });
        finished.collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_in_order() {
        for count in [0, 1, 3, 4, 5, 100] {
            let items: Vec<usize> = (0..count).collect();
            let answers = in_parallel(&items, |part| part.iter().map(|item| item * 2).collect::<Vec<_>>());
            assert_eq!(answers.concat(), items.iter().map(|item| item * 2).collect::<Vec<_>>());
        }
    }
}
