//! Infers counts that fit together from a control-flow graph with measures.

use crate::likelihood::Measure;
use crate::network::{Arc, circulate};

/// Scale of counts: one execution is this number of units.
pub const SCALE: f64 = 256.0;

/// Scale of costs: one sample that was expected and is missing costs this number of units.
const COST_SCALE: f64 = 4096.0;

/// Cost of passing a [`Gate::Unlikely`] gate, in samples.
const UNLIKELY_COST: f64 = 3.0;

/// Largest number of pivots for each arc. With more, the network is given up. Networks of code need fewer than 4.
const PIVOTS_PER_ARC: usize = 40;

/// The largest flow. Greater values are not distinguished.
const MAX_FLOW: f64 = (1_u64 << 48) as f64;

/// States whether control can enter or leave the graph at a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Control does not enter or leave here.
    Closed,
    /// Control may enter or leave here, but the code does not say so.
    Unlikely,
    /// Control enters or leaves here.
    Open,
}

/// A basic block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Block {
    /// The samples of the block; `None` if they say nothing about its executions.
    pub measure: Option<Measure>,
    /// States whether control can enter the graph at the block.
    pub entry: Gate,
    /// The samples that say how often control enters the graph at the block.
    pub entered: Option<Measure>,
    /// States whether control can leave the graph from the block.
    pub exit: Gate,
}

/// An edge between blocks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edge {
    /// Number of the block that the edge leaves.
    pub from: u32,
    /// Number of the block that the edge enters.
    pub to: u32,
    /// The samples that say how often control goes along the edge.
    pub measure: Option<Measure>,
}

/// A control-flow graph. Edges name their blocks by number.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Graph {
    /// The blocks.
    pub blocks: Vec<Block>,
    /// The edges.
    pub edges: Vec<Edge>,
}

/// Inferred counts, as multiples of [`SCALE`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inference {
    /// Number of executions of each block.
    pub blocks: Vec<u64>,
    /// Number of executions of each edge.
    pub edges: Vec<u64>,
    /// Number of times that control enters the graph at each block.
    pub entries: Vec<u64>,
    /// Number of times that control leaves the graph from each block.
    pub exits: Vec<u64>,
}

/// Returns the most likely counts that fit together; `None` if they cannot be found in reasonable time.
#[must_use]
pub fn infer(graph: &Graph) -> Option<Inference> {
    let blocks = u32::try_from(graph.blocks.len())
        .ok()
        .filter(|blocks| *blocks < u32::MAX / 2)?;
    let mut network = Network::default();
    // The network has two nodes for each block, and one node for all code outside of the graph.
    let outside = 2 * blocks;
    let (mut of_blocks, mut entries, mut exits) = (Vec::new(), Vec::new(), Vec::new());
    for (number, block) in (0..).zip(&graph.blocks) {
        let (before, behind) = (2 * number, 2 * number + 1);
        of_blocks.push(network.add_link(before, behind, block.measure, 0.0));
        entries.push(network.add_gate(outside, before, block.entry, block.entered));
        exits.push(network.add_gate(behind, outside, block.exit, None));
    }
    let mut edges = Vec::new();
    for edge in &graph.edges {
        if edge.from >= blocks || edge.to >= blocks {
            return None;
        }
        edges.push(network.add_link(2 * edge.from + 1, 2 * edge.to, edge.measure, 0.0));
    }
    let arcs = network.arcs;
    let flows = circulate(
        outside as usize + 1,
        &arcs,
        arcs.len().saturating_mul(PIVOTS_PER_ARC).max(1000),
    )?;
    let sum = |links: Vec<Link>| -> Vec<u64> {
        let total = |link: Link| flows[link.0..link.1].iter().map(|flow| flow.unsigned_abs()).sum();
        links.into_iter().map(total).collect()
    };
    Some(Inference {
        blocks: sum(of_blocks),
        edges: sum(edges),
        entries: sum(entries),
        exits: sum(exits),
    })
}

/// The arcs of one block, edge or gate: the numbers from the first to before the last.
#[derive(Clone, Copy)]
struct Link(usize, usize);

#[derive(Default)]
struct Network {
    arcs: Vec<Arc>,
}

impl Network {
    /// Adds arcs whose costs follow from `measure`, with an additional cost of `more` for each execution.
    fn add_link(&mut self, from: u32, to: u32, measure: Option<Measure>, more: f64) -> Link {
        let first = self.arcs.len();
        let mut arc = |capacity: i64, slope: f64| {
            let cost = (slope * COST_SCALE / SCALE).round() as i64;
            if capacity > 0 {
                self.arcs.push(Arc {
                    from,
                    to,
                    capacity,
                    cost,
                });
            }
        };
        let usable = measure.filter(|measure| measure.per_execution > 0.0 && measure.samples.is_finite());
        match usable {
            None => arc(Arc::UNBOUNDED, more),
            Some(measure) => {
                for step in measure.steps() {
                    let scaled = |count: f64| (count * SCALE).min(MAX_FLOW).round() as i64;
                    let capacity = if step.to.is_finite() {
                        scaled(step.to) - scaled(step.from)
                    } else {
                        Arc::UNBOUNDED
                    };
                    arc(capacity, step.slope + more);
                }
            }
        }
        Link(first, self.arcs.len())
    }

    fn add_gate(&mut self, from: u32, to: u32, gate: Gate, measure: Option<Measure>) -> Link {
        match gate {
            Gate::Closed => Link(0, 0),
            Gate::Unlikely => self.add_link(from, to, measure, UNLIKELY_COST),
            Gate::Open => self.add_link(from, to, measure, 0.0),
        }
    }
}
