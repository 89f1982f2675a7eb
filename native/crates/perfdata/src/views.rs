//! A cache of address spaces for a thread that counts samples.

use rustc_hash::FxHashMap;

use crate::address::{Moment, Period};
use crate::address_spaces::Consulted;

/// Largest number of processes that are remembered. Recordings with more processes are rare, and only take more time.
const REMEMBERED: usize = 1024;

/// The last view of the address space of each process. A view is any value that the caller makes of an address space,
/// and holds for the period of the process's last sample. A view has a number, by which the caller can store results
/// elsewhere.
#[derive(Debug)]
pub struct Views<V> {
    views: Vec<Numbered<V>>,
    /// Index in `views` of the view of each process.
    by_process: FxHashMap<i32, usize>,
    /// Index of the view that was asked for last.
    last: usize,
    /// Number of view numbers given so far.
    numbered: u16,
    consulted: Consulted,
}

#[derive(Debug)]
struct Numbered<V> {
    pid: i32,
    period: Period,
    view: V,
    number: u16,
    /// The latest moment for which the view was asked for.
    latest: Moment,
}

impl<V> Numbered<V> {
    #[inline]
    fn is_of(&self, pid: i32, moment: Moment) -> bool {
        self.pid == pid && self.period.contains(moment)
    }
}

/// The view that was asked for last.
#[derive(Debug)]
pub struct LastView {
    pid: i32,
    /// First moment of the view's period, and the number of moments in the period. [`Moment::END`] is left out.
    from: Moment,
    length: u64,
    number: u16,
    latest: Moment,
}

impl LastView {
    /// Returns the number of the view.
    #[must_use]
    #[inline]
    pub fn number(&self) -> u16 {
        self.number
    }

    /// Asks for the view of process `pid` at `moment`. Returns true if this is the view. At [`Moment::END`], the
    /// result may be false although this is the view.
    #[must_use]
    #[inline]
    pub fn is_of(&mut self, pid: i32, moment: Moment) -> bool {
        let is_of = self.pid == pid && moment.0.wrapping_sub(self.from.0) < self.length;
        if is_of {
            self.latest = moment.max(self.latest);
        }
        is_of
    }
}

impl<V> Default for Views<V> {
    fn default() -> Self {
        Self {
            views: Vec::new(),
            by_process: FxHashMap::default(),
            last: 0,
            numbered: 0,
            consulted: Consulted::default(),
        }
    }
}

impl<V> Views<V> {
    /// Returns the view of process `pid` at `moment`, with its number. `make` makes a view that is not known.
    /// `forget_numbers` is called before numbers are given again, for callers that stored results by number.
    #[inline]
    pub fn of(
        &mut self,
        pid: i32,
        moment: Moment,
        make: impl FnOnce() -> (V, Period),
        forget_numbers: impl FnOnce(),
    ) -> (&mut V, u16) {
        // Samples of one process come in runs, so the last view is compared first.
        if !self.views.get(self.last).is_some_and(|last| last.is_of(pid, moment)) {
            self.find(pid, moment, make, forget_numbers);
        }
        let found = &mut self.views[self.last];
        found.latest = moment.max(found.latest);
        (&mut found.view, found.number)
    }

    /// Calls `ask` with the view that was asked for last, to ask for it again. Returns `None` if there is none.
    #[inline]
    pub fn with_last<T>(&mut self, ask: impl FnOnce(&mut LastView) -> T) -> Option<T> {
        let last = self.views.get_mut(self.last)?;
        let Period { from, until } = last.period;
        let length = until.map_or(u64::MAX, |until| until.0).checked_sub(from.0)?;
        // The compiler keeps a copy in registers.
        let mut view = LastView {
            pid: last.pid,
            from,
            length,
            number: last.number,
            latest: last.latest,
        };
        let result = ask(&mut view);
        last.latest = view.latest;
        Some(result)
    }

    /// Finds or makes the view of a process, and makes it the last one.
    #[inline(never)]
    fn find(&mut self, pid: i32, moment: Moment, make: impl FnOnce() -> (V, Period), forget_numbers: impl FnOnce()) {
        let known = self.by_process.get(&pid).copied();
        if let Some(index) = known.filter(|index| self.views[*index].period.contains(moment)) {
            self.last = index;
            return;
        }
        if self.views.len() >= REMEMBERED || self.numbered == u16::MAX {
            self.forget(forget_numbers);
        }
        let (view, period) = make();
        let new = Numbered {
            pid,
            period,
            view,
            number: self.numbered,
            latest: moment,
        };
        self.numbered += 1;
        self.last = *self.by_process.entry(pid).or_insert(self.views.len());
        match self.views.get_mut(self.last) {
            Some(old) => {
                self.consulted.note(pid, old.latest);
                *old = new;
            }
            None => self.views.push(new),
        }
    }

    /// Forgets all views, because address spaces have changed. If there were any, `forget_numbers` is called, because
    /// numbers are given again. Returns the processes and moments that were asked for.
    pub fn forget(&mut self, forget_numbers: impl FnOnce()) -> &Consulted {
        if !self.views.is_empty() {
            forget_numbers();
        }
        for view in self.views.drain(..) {
            self.consulted.note(view.pid, view.latest);
        }
        self.by_process.clear();
        self.numbered = 0;
        &self.consulted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    /// Returns the number of the view that was asked for last, if it is the view of process `pid` at `time`.
    fn last_of<V>(views: &mut Views<V>, pid: i32, time: u64) -> Option<u16> {
        views.with_last(|view| view.is_of(pid, Moment(time)).then_some(view.number()))?
    }

    proptest! {
        /// In this test, each process changes every four moments, and may be asked for out of order.
        #[test]
        fn a_view_is_that_of_its_moment_and_has_a_number_of_its_own(
            asked in prop::collection::vec((0i32..3, 0u64..40), 1..60),
            processes in prop_oneof![Just(1i32), Just(600)],
        ) {
            let mut views: Views<(i32, u64)> = Views::default();
            let mut by_number = HashMap::new();
            let spread = asked.iter().flat_map(|&(pid, time)| (0..processes).map(move |step| (pid + 3 * step, time)));
            for (pid, time) in spread {
                let period = Period { from: Moment(time & !3), until: Some(Moment((time & !3) + 4)) };
                let make = || ((pid, time / 4), period);
                if let Some(number) = last_of(&mut views, pid, time) {
                    prop_assert_eq!(by_number.get(&number), Some(&(pid, time / 4)));
                }
                let (view, number) = views.of(pid, Moment(time), make, || by_number.clear());
                prop_assert_eq!(*view, (pid, time / 4));
                prop_assert_eq!(*by_number.entry(number).or_insert(*view), *view);
                prop_assert_eq!(last_of(&mut views, pid, time), Some(number));
            }
            let consulted = views.forget(|| {});
            for &(pid, _) in &asked {
                let latest = asked.iter().filter(|(other, _)| *other == pid).map(|(_, time)| *time).max();
                let latest = latest.unwrap_or_default();
                prop_assert!(consulted.at_or_after(pid, Moment(latest)) && !consulted.at_or_after(pid, Moment(latest + 1)));
            }
        }
    }
}
