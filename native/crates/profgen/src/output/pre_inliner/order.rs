//! Orders functions for the pre-inliner: callers before their callees, as far as possible (LLVM:
//! `ProfiledCallGraph`, `scc_iterator`, `scc_member_iterator`).

use std::cmp::Reverse;
use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};
use sampleprof::{NameId, NameTable};

use super::tree::Tree;

/// The call graph with the number of calls, all contexts added up.
struct Graph {
    functions: Vec<NameId>,
    /// Callees of each caller in the order of their names, with the number of calls.
    calls: Vec<Vec<(usize, u64)>>,
    /// All functions in the order of their names.
    by_name: Vec<usize>,
}

/// Returns every function of the tree once, callers first. Calls with a count of at most `cold` do not put
/// the caller first. Functions that call each other come in the order of the calls between them, the most
/// frequent first; without `sorted`, in the order of a walk over them.
pub(super) fn callers_first(tree: &Tree, names: &NameTable, cold: u64, sorted: bool) -> Vec<NameId> {
    let graph = Graph::new(tree, names, cold);
    let mut order = Vec::with_capacity(graph.functions.len());
    for component in graph.components() {
        let component = if sorted && component.len() > 1 {
            graph.sorted(&component)
        } else {
            component
        };
        order.extend(component.into_iter().map(|function| graph.functions[function]));
    }
    order.reverse();
    order
}

impl Graph {
    fn new(tree: &Tree, names: &NameTable, cold: u64) -> Self {
        let mut functions = Vec::new();
        let mut numbers: FxHashMap<NameId, usize> = FxHashMap::default();
        let mut weights: FxHashMap<(usize, usize), u64> = FxHashMap::default();
        for node in tree.by_distance() {
            let mut number = |name| {
                *numbers.entry(name).or_insert_with(|| {
                    functions.push(name);
                    functions.len() - 1
                })
            };
            let callee = number(tree.node(node).name);
            let Some(caller) = tree.node(node).caller.filter(|&caller| caller != Tree::ROOT) else {
                continue;
            };
            let caller = number(tree.node(caller).name);
            let weight = weights.entry((caller, callee)).or_default();
            *weight = weight.wrapping_add(tree.calls_of(node).unwrap_or(0));
        }
        let mut by_name: Vec<usize> = (0..functions.len()).collect();
        by_name.sort_by(|&a, &b| names.compare(functions[a], functions[b]));
        let mut rank = vec![0; functions.len()];
        for (position, &function) in by_name.iter().enumerate() {
            rank[function] = position;
        }
        let mut calls = vec![Vec::new(); functions.len()];
        for ((caller, callee), weight) in weights {
            if cold == 0 || weight > cold {
                calls[caller].push((callee, weight));
            }
        }
        for list in &mut calls {
            list.sort_unstable_by_key(|&(callee, _)| rank[callee]);
        }
        Self {
            functions,
            calls,
            by_name,
        }
    }

    /// Returns groups of functions that call each other (Tarjan's algorithm). A group comes after the groups
    /// that it calls. In each group the function that was reached last comes first.
    fn components(&self) -> Vec<Vec<usize>> {
        /// Stands for a member of a complete group.
        const DONE: usize = usize::MAX;
        let mut components = Vec::new();
        // The time at which each function was reached, from 1.
        let mut reached = vec![0; self.functions.len()];
        let mut count = 0;
        let mut pending = Vec::new();
        for &start in &self.by_name {
            if reached[start] != 0 {
                continue;
            }
            // Each element is a function, the index of its next call, and the earliest function that is
            // reached from it.
            let mut path: Vec<(usize, usize, usize)> = Vec::new();
            let mut next = Some(start);
            loop {
                if let Some(function) = next.take() {
                    count += 1;
                    reached[function] = count;
                    pending.push(function);
                    path.push((function, 0, count));
                }
                let Some((function, call, earliest)) = path.last_mut() else {
                    break;
                };
                if let Some(&(callee, _)) = self.calls[*function].get(*call) {
                    *call += 1;
                    match reached[callee] {
                        0 => next = Some(callee),
                        callee => *earliest = callee.min(*earliest),
                    }
                    continue;
                }
                let (function, _, earliest) = (*function, *call, *earliest);
                path.pop();
                if let Some((.., outer)) = path.last_mut() {
                    *outer = earliest.min(*outer);
                }
                if earliest != reached[function] {
                    continue;
                }
                let first = pending.iter().rposition(|&member| member == function).unwrap_or(0);
                let component: Vec<usize> = pending.drain(first..).rev().collect();
                component.iter().for_each(|&member| reached[member] = DONE);
                components.push(component);
            }
        }
        components
    }

    /// Returns the functions of a group, callees before callers along its most frequent calls: the calls of a
    /// maximum spanning tree (Kruskal's algorithm), followed from the functions that no such call reaches
    /// (Kahn's algorithm).
    fn sorted(&self, component: &[usize]) -> Vec<usize> {
        let members: FxHashSet<usize> = component.iter().copied().collect();
        let mut calls: Vec<(usize, usize, u64)> = component
            .iter()
            .flat_map(|&caller| {
                self.calls[caller]
                    .iter()
                    .map(move |&(callee, weight)| (caller, callee, weight))
            })
            .filter(|(_, callee, _)| members.contains(callee))
            .collect();
        calls.sort_by_key(|&(.., weight)| Reverse(weight));
        let mut groups: FxHashMap<usize, usize> = component.iter().map(|&member| (member, member)).collect();
        let mut in_tree: FxHashSet<(usize, usize)> = FxHashSet::default();
        let mut incoming: FxHashMap<usize, usize> = FxHashMap::default();
        for &(caller, callee, _) in &calls {
            let (one, other) = (group_of(&mut groups, caller), group_of(&mut groups, callee));
            if one != other {
                groups.insert(other, one);
                in_tree.insert((caller, callee));
                *incoming.entry(callee).or_default() += 1;
            }
        }
        let mut seen: FxHashSet<usize> = FxHashSet::default();
        let starts = calls.iter().map(|&(caller, ..)| caller);
        let mut queue: VecDeque<usize> = starts
            .filter(|caller| !incoming.contains_key(caller) && seen.insert(*caller))
            .collect();
        let mut sorted = Vec::with_capacity(component.len());
        while let Some(caller) = queue.pop_front() {
            sorted.push(caller);
            for &(callee, _) in self.calls[caller]
                .iter()
                .filter(|(callee, _)| in_tree.contains(&(caller, *callee)))
            {
                if let Some(left) = incoming.get_mut(&callee) {
                    *left -= 1;
                    if *left == 0 {
                        queue.push_back(callee);
                    }
                }
            }
        }
        sorted.reverse();
        sorted
    }
}

/// Returns the member that stands for all members joined with `member`.
fn group_of(groups: &mut FxHashMap<usize, usize>, member: usize) -> usize {
    let mut last = member;
    while groups[&last] != last {
        let further = groups[&groups[&last]];
        groups.insert(last, further);
        last = further;
    }
    last
}
