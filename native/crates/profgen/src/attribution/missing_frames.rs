//! Infers the frames that tail calls leave out: a function that jumps to another function is on no call stack
//! afterwards. If only one path of tail calls leads from a call to the function that is executed after it,
//! the functions on this path are callers, too (LLVM: `MissingFrameInferrer`).
//!
//! The calls and jumps are taken from the branches that were recorded.

use std::collections::{BTreeMap, BTreeSet};

use elf::{Code, InstructionClass, Svma};
use rustc_hash::{FxHashMap, FxHashSet};
use symbolize::{FunctionId, FunctionTable};

/// The recorded calls, and the paths between functions that were found so far.
pub(crate) struct MissingFrames<'a> {
    functions: &'a FunctionTable,
    /// Callees of each call.
    calls: FxHashMap<Svma, BTreeSet<FunctionId>>,
    /// Callees of each tail call.
    tail_calls: FxHashMap<Svma, BTreeSet<FunctionId>>,
    /// Tail calls of each function.
    of_function: BTreeMap<FunctionId, Vec<Svma>>,
    /// Callees of all tail calls.
    tail_called: FxHashSet<FunctionId>,
    longest_way: usize,
    ways: FxHashMap<(FunctionId, FunctionId), Ways>,
}

/// The paths of tail calls that lead from one function to another.
#[derive(Debug, Clone, Default)]
enum Ways {
    #[default]
    None,
    /// One path, with its tail calls, the last one first.
    One(Vec<Svma>),
    Several,
}

impl Ways {
    fn add(&mut self, more: Self) {
        *self = match (std::mem::take(self), more) {
            (Self::None, ways) | (ways, Self::None) => ways,
            _ => Self::Several,
        };
    }

    /// Returns the same paths, with a tail call before their beginning.
    fn behind(mut self, call: Svma) -> Self {
        if let Self::One(way) = &mut self {
            way.push(call);
        }
        self
    }
}

/// A function whose tail calls are being followed.
struct Visit {
    function: FunctionId,
    /// Tail call by which the function was reached.
    via: Svma,
    /// Tail calls that are left to follow, each with its callee.
    tail_calls: std::vec::IntoIter<(Svma, FunctionId)>,
    found: Ways,
}

impl<'a> MissingFrames<'a> {
    /// Collects the calls and tail calls among `branches`, all that were recorded, from source to target.
    /// `longest_way` is the value of `--max-search-depth`.
    pub(crate) fn new(
        code: &Code<'_>,
        functions: &'a FunctionTable,
        branches: impl IntoIterator<Item = (Svma, Svma)>,
        longest_way: u32,
    ) -> Self {
        let mut found = Self {
            functions,
            calls: FxHashMap::default(),
            tail_calls: FxHashMap::default(),
            of_function: BTreeMap::new(),
            tail_called: FxHashSet::default(),
            longest_way: longest_way as usize,
            ways: FxHashMap::default(),
        };
        for (from, to) in branches {
            let (Some(class), Some(caller)) = (code.class_at(from), functions.find(from)) else {
                continue;
            };
            let callee = functions.find(to);
            let is_tail_call = match class {
                InstructionClass::Call => false,
                InstructionClass::Jump => code
                    .direct_target(from)
                    .and_then(|target| functions.find(target))
                    .is_some_and(|target| target.function != caller.function),
                InstructionClass::Branch => code.direct_target(from).is_none(),
                InstructionClass::Return | InstructionClass::Other => continue,
            };
            if class == InstructionClass::Call {
                found
                    .calls
                    .entry(from)
                    .or_default()
                    .extend(callee.map(|callee| callee.function));
            } else if is_tail_call && callee.is_none_or(|callee| callee.start != caller.start) {
                let callees = found.tail_calls.entry(from).or_insert_with(|| {
                    found.of_function.entry(caller.function).or_default().push(from);
                    BTreeSet::new()
                });
                callees.extend(callee.map(|callee| callee.function));
                found.tail_called.extend(callee.map(|callee| callee.function));
            }
        }
        found.of_function.values_mut().for_each(|calls| calls.sort_unstable());
        found
    }

    /// Returns `calls`, from the outermost inwards, with the tail calls between them. The last of these leads
    /// to the function at `address`.
    pub(crate) fn complete(&mut self, calls: &[Svma], address: Svma) -> Vec<Svma> {
        let mut complete = Vec::with_capacity(calls.len());
        for (index, &call) in calls.iter().enumerate() {
            complete.push(call);
            let next = calls.get(index + 1).copied().unwrap_or(address);
            if let Some(next) = self.functions.find(next) {
                complete.extend(self.between(call, next.function));
            }
        }
        complete
    }

    /// Returns the tail calls on the only path from a call to a function; an empty list if there are several
    /// paths.
    fn between(&mut self, call: Svma, to: FunctionId) -> Vec<Svma> {
        let Some(called) = self.calls.get(&call) else {
            return Vec::new();
        };
        if called.contains(&to) || !self.tail_called.contains(&to) {
            return Vec::new();
        }
        let mut found = Ways::None;
        for from in called.iter().copied().collect::<Vec<_>>() {
            found.add(self.ways(from, to));
            if matches!(found, Ways::Several) {
                break;
            }
        }
        match found {
            Ways::One(mut way) => {
                way.reverse();
                way
            }
            Ways::None | Ways::Several => Vec::new(),
        }
    }

    /// Returns the paths from one function to another. The result for each function on the way is kept,
    /// although functions that were already on the way were left out of it. So in a graph with cycles the
    /// answer may depend on earlier queries, as LLVM's does.
    fn ways(&mut self, from: FunctionId, to: FunctionId) -> Ways {
        let mut on_way = FxHashSet::default();
        let mut open: Vec<Visit> = Vec::new();
        let mut found = match self.known(from, to, &on_way) {
            Ok(ways) => return ways,
            Err(visit) => visit,
        };
        loop {
            on_way.insert(found.function);
            open.push(found);
            found = loop {
                let Some(visit) = open.last_mut() else {
                    return Ways::None;
                };
                let is_done = matches!(visit.found, Ways::Several);
                let Some((call, callee)) = visit.tail_calls.next().filter(|_| !is_done) else {
                    let Some(Visit {
                        function, via, found, ..
                    }) = open.pop()
                    else {
                        return Ways::None;
                    };
                    on_way.remove(&function);
                    self.ways.insert((function, to), found.clone());
                    let Some(outer) = open.last_mut() else {
                        return found;
                    };
                    outer.found.add(found.behind(via));
                    continue;
                };
                match self.known(callee, to, &on_way) {
                    Ok(ways) => visit.found.add(ways.behind(call)),
                    Err(next) => break Visit { via: call, ..next },
                }
            };
        }
    }

    /// Returns the paths if they are known, or else the function, whose tail calls must be followed.
    fn known(&self, from: FunctionId, to: FunctionId, on_way: &FxHashSet<FunctionId>) -> Result<Ways, Visit> {
        if from == to {
            return Ok(Ways::One(Vec::new()));
        }
        if on_way.contains(&from) {
            return Ok(Ways::None);
        }
        if let Some(known) = self.ways.get(&(from, to)) {
            return Ok(known.clone());
        }
        let calls = self.of_function.get(&from).map_or(&[][..], Vec::as_slice);
        if on_way.len() >= self.longest_way || calls.is_empty() {
            return Ok(Ways::None);
        }
        let tail_calls = calls
            .iter()
            .flat_map(|call| self.tail_calls[call].iter().map(|&callee| (*call, callee)));
        Err(Visit {
            function: from,
            via: Svma(0),
            tail_calls: tail_calls.collect::<Vec<_>>().into_iter(),
            found: Ways::None,
        })
    }
}
