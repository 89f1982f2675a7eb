//! Finds circulations of minimum cost by the network simplex method with strongly feasible trees (Ahuja, Magnanti,
//! Orlin: "Network Flows", 1993, chapter 11), with a block search for the entering arc.

/// An arc of a network. The flow along the arc is from 0 to `capacity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arc {
    /// Number of the node that the arc leaves.
    pub from: u32,
    /// Number of the node that the arc enters.
    pub to: u32,
    /// Largest flow, at least 0. [`Arc::UNBOUNDED`] and more is no limit.
    pub capacity: i64,
    /// Cost of each unit of flow. If the cost is below 0, the capacity must be bounded.
    pub cost: i64,
}

impl Arc {
    /// A capacity without a limit.
    pub const UNBOUNDED: i64 = i64::MAX / 4;
}

/// Returns the flow of each arc in the cheapest circulation: as much flow enters each node as leaves it. Returns
/// `None` if the search takes more than `max_pivots` steps, or if an arc violates the conditions of [`Arc`].
#[must_use]
pub fn circulate(nodes: usize, arcs: &[Arc], max_pivots: usize) -> Option<Vec<i64>> {
    let valid = |arc: &Arc| {
        let known = (arc.from as usize) < nodes && (arc.to as usize) < nodes;
        known && arc.capacity >= 0 && (arc.cost >= 0 || arc.capacity < Arc::UNBOUNDED)
    };
    if !arcs.iter().all(valid) || u32::try_from(nodes + 1).is_err() {
        return None;
    }
    let mut simplex = Simplex::new(nodes, arcs)?;
    let mut pivots = 0;
    while let Some(entering) = simplex.find_entering() {
        if pivots == max_pivots {
            return None;
        }
        pivots += 1;
        simplex.pivot(entering);
    }
    simplex.flows.truncate(arcs.len());
    Some(simplex.flows)
}

const NONE: u32 = u32::MAX;

/// The state of the flow of an arc. Its number is the sign of the change that the flow of the arc may have.
#[derive(Clone, Copy, PartialEq)]
#[repr(i8)]
enum State {
    Lower = 1,
    Tree = 0,
    Upper = -1,
}

/// A node of the spanning tree. The last node is the root.
#[derive(Clone, Copy)]
struct Node {
    parent: u32,
    /// Number of the arc between the node and its parent.
    arc: u32,
    /// True if this arc goes to the parent.
    up: bool,
    depth: u32,
    first_child: u32,
    next_sibling: u32,
    previous_sibling: u32,
}

struct Simplex {
    arcs: Vec<Arc>,
    flows: Vec<i64>,
    states: Vec<State>,
    nodes: Vec<Node>,
    /// Potential of each node. Potentials are apart from the nodes, because the search for an entering arc needs
    /// nothing else of the nodes.
    potentials: Vec<i64>,
    /// Number of the arc at which the next search for an entering arc begins.
    next: usize,
    stack: Vec<u32>,
}

impl Simplex {
    /// Makes a network without flow. Each node hangs on the root by an artificial arc, whose cost is so high that
    /// the solution uses none of these arcs.
    fn new(count: usize, given: &[Arc]) -> Option<Self> {
        let root = count as u32;
        let dearest = given.iter().map(|arc| arc.cost.unsigned_abs()).max().unwrap_or(0);
        let artificial = i64::try_from(dearest)
            .ok()?
            .checked_add(1)?
            .checked_mul(root.max(1).into())?;
        let mut arcs = given.to_vec();
        let mut nodes = Vec::with_capacity(count + 1);
        for node in 0..root {
            nodes.push(Node {
                parent: root,
                arc: arcs.len() as u32,
                up: true,
                depth: 1,
                first_child: NONE,
                next_sibling: if node + 1 < root { node + 1 } else { NONE },
                previous_sibling: node.checked_sub(1).unwrap_or(NONE),
            });
            arcs.push(Arc {
                from: node,
                to: root,
                capacity: Arc::UNBOUNDED,
                cost: artificial,
            });
        }
        u32::try_from(arcs.len()).ok().filter(|all| *all != NONE)?;
        nodes.push(Node {
            parent: NONE,
            arc: NONE,
            up: false,
            depth: 0,
            first_child: if root > 0 { 0 } else { NONE },
            next_sibling: NONE,
            previous_sibling: NONE,
        });
        let mut potentials = vec![-artificial; count];
        potentials.push(0);
        let mut states = vec![State::Lower; given.len()];
        states.resize(arcs.len(), State::Tree);
        Some(Self {
            flows: vec![0; arcs.len()],
            states,
            nodes,
            potentials,
            arcs,
            next: 0,
            stack: Vec::new(),
        })
    }

    /// Returns an arc on which a change of flow lowers the cost: the best arc of the first block of arcs that has
    /// one.
    fn find_entering(&mut self) -> Option<usize> {
        let count = self.arcs.len();
        let block = (count.isqrt()).max(16);
        let (mut best, mut found, mut in_block, mut left) = (0, None, 0, count);
        while left > 0 {
            let first = self.next;
            let end = count.min(first + left.min(block - in_block));
            let arcs = self.arcs[first..end].iter().zip(&self.states[first..end]);
            for (index, (arc, state)) in (first..).zip(arcs) {
                let potential = |node: u32| self.potentials[node as usize];
                let reduced = (arc.cost + potential(arc.from) - potential(arc.to)) * i64::from(*state as i8);
                if reduced < best {
                    (best, found) = (reduced, Some(index));
                }
            }
            in_block += end - first;
            left -= end - first;
            self.next = if end == count { 0 } else { end };
            if in_block == block {
                if found.is_some() {
                    return found;
                }
                in_block = 0;
            }
        }
        found
    }

    /// Pushes as much flow as possible around the cycle that `entering` closes. Then puts `entering` into the tree
    /// in the place of an arc that is full or empty.
    fn pivot(&mut self, entering: usize) {
        let arc = self.arcs[entering];
        let raises = self.states[entering] == State::Lower;
        let (first, second) = if raises { (arc.from, arc.to) } else { (arc.to, arc.from) };
        let join = self.find_common_ancestor(first, second);

        // The flow goes from the join down to `first`, and from `second` up to the join.
        let mut most = arc.capacity;
        let mut leaving = None;
        let mut at = first;
        while at != join {
            let node = self.nodes[at as usize];
            let room = self.residual_capacity(node.arc, !node.up);
            if room < most {
                (most, leaving) = (room, Some((at, true)));
            }
            at = node.parent;
        }
        at = second;
        while at != join {
            let node = self.nodes[at as usize];
            let room = self.residual_capacity(node.arc, node.up);
            if room <= most {
                (most, leaving) = (room, Some((at, false)));
            }
            at = node.parent;
        }

        if most > 0 {
            self.flows[entering] += if raises { most } else { -most };
            for (end, with) in [(first, false), (second, true)] {
                at = end;
                while at != join {
                    let node = self.nodes[at as usize];
                    self.flows[node.arc as usize] += if node.up == with { most } else { -most };
                    at = node.parent;
                }
            }
        }
        let Some((out, on_first)) = leaving else {
            self.states[entering] = if raises { State::Upper } else { State::Lower };
            return;
        };
        let left = self.nodes[out as usize].arc as usize;
        self.states[left] = if self.flows[left] == 0 {
            State::Lower
        } else {
            State::Upper
        };
        self.states[entering] = State::Tree;
        let (inside, outside) = if on_first { (first, second) } else { (second, first) };
        self.move_subtree(out, inside, outside, entering);
    }

    /// Returns the amount by which the flow of the arc can grow, or shrink if `more` is false.
    fn residual_capacity(&self, arc: u32, more: bool) -> i64 {
        let (flow, capacity) = (self.flows[arc as usize], self.arcs[arc as usize].capacity);
        if !more {
            flow
        } else if capacity >= Arc::UNBOUNDED {
            i64::MAX
        } else {
            capacity - flow
        }
    }

    fn find_common_ancestor(&self, mut a: u32, mut b: u32) -> u32 {
        while a != b {
            let (of_a, of_b) = (self.nodes[a as usize], self.nodes[b as usize]);
            if of_a.depth >= of_b.depth {
                a = of_a.parent;
            }
            if of_b.depth >= of_a.depth {
                b = of_b.parent;
            }
        }
        a
    }

    /// Cuts off the subtree below `out`, and attaches its node `inside` to `outside`.
    fn move_subtree(&mut self, out: u32, inside: u32, outside: u32, entering: usize) {
        let mut at = inside;
        let (mut parent, mut arc, mut up) = (outside, entering as u32, self.arcs[entering].from == inside);
        loop {
            let old = self.nodes[at as usize];
            self.detach(at);
            self.attach(at, parent, arc, up);
            if at == out {
                break;
            }
            (parent, arc, up, at) = (at, old.arc, !old.up, old.parent);
        }
        let cost = self.arcs[entering].cost;
        let potential = |node: u32| self.potentials[node as usize];
        let is_up = self.nodes[inside as usize].up;
        let change = potential(outside) - potential(inside) + if is_up { -cost } else { cost };
        self.stack.push(inside);
        while let Some(at) = self.stack.pop() {
            let depth = self.nodes[self.nodes[at as usize].parent as usize].depth + 1;
            self.potentials[at as usize] += change;
            let node = &mut self.nodes[at as usize];
            node.depth = depth;
            let mut child = node.first_child;
            while child != NONE {
                self.stack.push(child);
                child = self.nodes[child as usize].next_sibling;
            }
        }
    }

    fn detach(&mut self, at: u32) {
        let node = self.nodes[at as usize];
        if node.previous_sibling == NONE {
            self.nodes[node.parent as usize].first_child = node.next_sibling;
        } else {
            self.nodes[node.previous_sibling as usize].next_sibling = node.next_sibling;
        }
        if node.next_sibling != NONE {
            self.nodes[node.next_sibling as usize].previous_sibling = node.previous_sibling;
        }
    }

    fn attach(&mut self, at: u32, parent: u32, arc: u32, up: bool) {
        let sibling = self.nodes[parent as usize].first_child;
        if sibling != NONE {
            self.nodes[sibling as usize].previous_sibling = at;
        }
        self.nodes[parent as usize].first_child = at;
        let node = &mut self.nodes[at as usize];
        (node.parent, node.arc, node.up) = (parent, arc, up);
        (node.next_sibling, node.previous_sibling) = (sibling, NONE);
    }
}
