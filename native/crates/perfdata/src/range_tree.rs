//! A persistent map from disjoint address ranges to mappings.
//!
//! The ranges of a process must be known for every moment, and a forked process begins with the ranges of its parent.
//! So trees share their nodes: a change makes new nodes for the path to the root and leaves the old tree as it was.
//! The trees are AVL trees that are built by joining (Blelloch, Ferizovic, Sun: "Just Join for Parallel Ordered
//! Sets"). They are balanced for every input, which also bounds the recursion.

use crate::address::Avma;
use crate::mapped_range::MappedRange;

/// A tree in a [`RangeForest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tree(u32);

impl Tree {
    pub(crate) const EMPTY: Self = Self(u32::MAX);
}

#[derive(Debug, Clone, Copy)]
struct Node {
    range: MappedRange,
    left: Tree,
    right: Tree,
    height: u8,
}

/// The nodes of all trees. The children of a node stand before it.
#[derive(Debug, Default)]
pub(crate) struct RangeForest {
    nodes: Vec<Node>,
}

impl RangeForest {
    /// Returns the number of nodes. Trees made so far use no later nodes.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Removes all nodes except the first `len`.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.nodes.truncate(len);
    }

    /// Returns `tree` with `range` on top of the ranges that it overlaps.
    pub(crate) fn insert(&mut self, tree: Tree, range: MappedRange) -> Tree {
        let (before, rest) = self.split(tree, range.start);
        let (_, after) = self.split(rest, range.end);
        self.join(before, range, after)
    }

    /// Returns the range that holds `address`.
    pub(crate) fn find(&self, mut tree: Tree, address: Avma) -> Option<MappedRange> {
        while let Some(node) = self.node(tree) {
            if address < node.range.start {
                tree = node.left;
            } else if address >= node.range.end {
                tree = node.right;
            } else {
                return Some(node.range);
            }
        }
        None
    }

    /// Appends the ranges of `tree` to `out`, in ascending order.
    pub(crate) fn collect(&self, tree: Tree, out: &mut Vec<MappedRange>) {
        if let Some(node) = self.node(tree) {
            self.collect(node.left, out);
            out.push(node.range);
            self.collect(node.right, out);
        }
    }

    /// Removes the nodes after the first `len`, except those of `tree`. Returns `tree`, whose nodes move.
    pub(crate) fn compact(&mut self, len: usize, tree: Tree) -> Tree {
        let mut kept = Vec::new();
        let tree = self.keep(len, tree, &mut kept);
        self.nodes.truncate(len);
        self.nodes.extend(kept);
        tree
    }

    fn keep(&self, len: usize, tree: Tree, kept: &mut Vec<Node>) -> Tree {
        match self.node(tree) {
            Some(mut node) if tree.0 as usize >= len => {
                node.left = self.keep(len, node.left, kept);
                node.right = self.keep(len, node.right, kept);
                kept.push(node);
                // There are fewer nodes than before, so the number fits.
                Tree((len + kept.len() - 1) as u32)
            }
            _ => tree,
        }
    }

    fn node(&self, tree: Tree) -> Option<Node> {
        self.nodes.get(tree.0 as usize).copied()
    }

    fn height(&self, tree: Tree) -> u8 {
        self.node(tree).map_or(0, |node| node.height)
    }

    fn make(&mut self, left: Tree, range: MappedRange, right: Tree) -> Tree {
        let height = self.height(left).max(self.height(right)) + 1;
        // A node takes 40 bytes, so memory ends before 32 bits do.
        let id = self.nodes.len() as u32;
        self.nodes.push(Node {
            range,
            left,
            right,
            height,
        });
        Tree(id)
    }

    /// Returns a tree of the ranges in `left`, then `range`, then the ranges in `right`. The three are in ascending
    /// order.
    fn join(&mut self, left: Tree, range: MappedRange, right: Tree) -> Tree {
        let (left_height, right_height) = (self.height(left), self.height(right));
        match (self.node(left), self.node(right)) {
            (Some(node), _) if left_height > right_height + 1 => {
                let joined = self.join(node.right, range, right);
                self.make_balanced(node.left, node.range, joined)
            }
            (_, Some(node)) if right_height > left_height + 1 => {
                let joined = self.join(left, range, node.left);
                self.make_balanced(joined, node.range, node.right)
            }
            _ => self.make(left, range, right),
        }
    }

    /// Does the work of [`RangeForest::make`] for trees whose heights differ by at most 2.
    fn make_balanced(&mut self, left: Tree, range: MappedRange, right: Tree) -> Tree {
        let (left_height, right_height) = (self.height(left), self.height(right));
        match (self.node(left), self.node(right)) {
            (Some(node), _) if left_height > right_height + 1 => match self.node(node.right) {
                Some(inner) if inner.height > self.height(node.left) => {
                    let outer_left = self.make(node.left, node.range, inner.left);
                    let outer_right = self.make(inner.right, range, right);
                    self.make(outer_left, inner.range, outer_right)
                }
                _ => {
                    let outer_right = self.make(node.right, range, right);
                    self.make(node.left, node.range, outer_right)
                }
            },
            (_, Some(node)) if right_height > left_height + 1 => match self.node(node.left) {
                Some(inner) if inner.height > self.height(node.right) => {
                    let outer_left = self.make(left, range, inner.left);
                    let outer_right = self.make(inner.right, node.range, node.right);
                    self.make(outer_left, inner.range, outer_right)
                }
                _ => {
                    let outer_left = self.make(left, range, node.left);
                    self.make(outer_left, node.range, node.right)
                }
            },
            _ => self.make(left, range, right),
        }
    }

    /// Splits `tree` into the ranges below `at` and the ranges at or above `at`. Cuts a range that lies across `at`.
    fn split(&mut self, tree: Tree, at: Avma) -> (Tree, Tree) {
        let Some(Node { range, left, right, .. }) = self.node(tree) else {
            return (Tree::EMPTY, Tree::EMPTY);
        };
        if at <= range.start {
            let (below, above) = self.split(left, at);
            (below, self.join(above, range, right))
        } else if at >= range.end {
            let (below, above) = self.split(right, at);
            (self.join(left, range, below), above)
        } else {
            let below = MappedRange { end: at, ..range };
            let above = MappedRange { start: at, ..range };
            (
                self.join(left, below, Tree::EMPTY),
                self.join(Tree::EMPTY, above, right),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapped_range::MapId;

    fn range(start: u64, end: u64, map: u32) -> MappedRange {
        MappedRange {
            start: Avma(start),
            end: Avma(end),
            map: MapId(map),
        }
    }

    #[test]
    fn trees_stay_balanced() {
        let mut forest = RangeForest::default();
        let mut tree = Tree::EMPTY;
        for at in 0..10_000 {
            tree = forest.insert(tree, range(at * 2, at * 2 + 1, 0));
        }
        // An AVL tree of n nodes is at most 1.44 log2(n) high.
        assert!(forest.height(tree) <= 20, "height {}", forest.height(tree));
    }

    #[test]
    fn old_trees_stay_as_they_were() {
        let mut forest = RangeForest::default();
        let old = forest.insert(Tree::EMPTY, range(0, 100, 1));
        let new = forest.insert(old, range(40, 60, 2));
        let ranges = |tree| {
            let mut ranges = Vec::new();
            forest.collect(tree, &mut ranges);
            ranges
        };
        assert_eq!(ranges(old), [range(0, 100, 1)]);
        assert_eq!(ranges(new), [range(0, 40, 1), range(40, 60, 2), range(60, 100, 1)]);
    }

    #[test]
    fn compacting_keeps_the_tree() {
        let mut forest = RangeForest::default();
        let old = forest.insert(Tree::EMPTY, range(0, 100, 1));
        let len = forest.len();
        let mut tree = old;
        for at in 0..50 {
            tree = forest.insert(tree, range(at, at + 5, 2));
        }
        let mut before = Vec::new();
        forest.collect(tree, &mut before);
        let grown = forest.len();
        tree = forest.compact(len, tree);
        let mut after = Vec::new();
        forest.collect(tree, &mut after);
        assert_eq!(before, after);
        assert!(forest.len() <= len + after.len() && forest.len() < grown);
    }
}
