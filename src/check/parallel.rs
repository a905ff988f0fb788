//! Questions that have nothing to do with each other are divided among the processors, each with a solver of its own.

use std::iter;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The walk over a dataplane goes deep where networks do.
const STACK: usize = 64 * 1024 * 1024;

/// Fewer questions are answered before a thread has started.
const FEW: usize = 4;

/// Answers every question; the answers are in their order. Some questions take much longer than others: whoever is free
/// takes the next.
pub(super) fn in_parallel<Q: Sync, A: Send>(questions: &[Q], answer: impl Fn(&Q) -> A + Sync) -> Vec<A> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get).min(questions.len());
    if processors < 2 || questions.len() < FEW {
        return questions.iter().map(answer).collect();
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let numbers = iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)));
        let taken = numbers.map_while(|number| Some((number, questions.get(number)?)));
        taken.map(|(number, question)| (number, answer(question))).collect::<Vec<(usize, A)>>()
    };
    let work = &work;
    let mut answers: Vec<(usize, A)> = thread::scope(|scope| {
        let start = |_| thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        let started: Vec<_> = (1..processors).map(start).collect();
        let mut answers = work();
        // A thread that is not to be had leaves its work to the others.
        for helper in started.into_iter().flatten() {
            answers.extend(helper.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        answers
    });
    answers.sort_unstable_by_key(|(number, _)| *number);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_in_order() {
        for count in [0, 1, 3, 4, 5, 100] {
            let items: Vec<usize> = (0..count).collect();
            let answers = in_parallel(&items, |item| item * 2);
            assert_eq!(answers, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        }
    }
}
