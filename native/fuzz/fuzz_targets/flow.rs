//! Infers counts for graphs of any shape with any samples. The counts must fit together, or the graph must be given
//! up.
#![no_main]

use flow::{Block, Edge, Gate, Graph, Measure, infer};
use libfuzzer_sys::fuzz_target;

/// Largest number of blocks. The target looks for odd graphs, not for large ones.
const MOST_BLOCKS: u8 = 40;

fn measure(a: u8, b: u8) -> Option<Measure> {
    (a & 1 == 0).then(|| Measure {
        // Weights reach from 0 to the largest number of 64 bits.
        samples: f64::from(a >> 1) * 2_f64.powi(i32::from(b >> 2)),
        per_execution: f64::from(b & 3) * f64::from(a) / 8.0,
    })
}

fn gate(byte: u8) -> Gate {
    [Gate::Closed, Gate::Unlikely, Gate::Open][usize::from(byte % 3)]
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&count, rest)) = bytes.split_first() else {
        return;
    };
    let count = count % MOST_BLOCKS + 1;
    let (of_blocks, of_edges) = rest.split_at(rest.len().min(5 * usize::from(count)));
    let blocks: Vec<Block> = of_blocks
        .as_chunks::<5>()
        .0
        .iter()
        .map(|&[a, b, c, d, e]| Block {
            measure: measure(a, b),
            entry: gate(c),
            entered: measure(d, e),
            exit: gate(c / 3),
        })
        .collect();
    if blocks.is_empty() {
        return;
    }
    let block = |byte: u8| u32::from(byte) % blocks.len() as u32;
    let edges = of_edges.as_chunks::<4>().0.iter().map(|&[from, to, a, b]| Edge {
        from: block(from),
        to: block(to),
        measure: measure(a, b),
    });
    let graph = Graph {
        edges: edges.collect(),
        blocks: blocks.clone(),
    };
    let Some(found) = infer(&graph) else { return };
    for (number, count) in (0..).zip(&found.blocks) {
        let sum = |is_end: &dyn Fn(&Edge) -> bool| -> u128 {
            let own = graph.edges.iter().zip(&found.edges).filter(|(edge, _)| is_end(edge));
            own.map(|(_, count)| u128::from(*count)).sum()
        };
        let into = sum(&|edge| edge.to == number) + u128::from(found.entries[number as usize]);
        let from = sum(&|edge| edge.from == number) + u128::from(found.exits[number as usize]);
        assert_eq!((into, from), (u128::from(*count), u128::from(*count)), "block {number}");
    }
});
