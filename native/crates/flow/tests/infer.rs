//! Tests the counts of small graphs.

use flow::{Block, Edge, Gate, Graph, Inference, Measure, SCALE, infer};

fn block(samples: f64, instructions: f64) -> Block {
    Block {
        measure: Some(Measure {
            samples,
            per_execution: instructions,
        }),
        entry: Gate::Closed,
        entered: None,
        exit: Gate::Closed,
    }
}

fn graph(mut blocks: Vec<Block>, edges: &[(u32, u32)]) -> Graph {
    blocks[0].entry = Gate::Open;
    blocks.last_mut().expect("a block").exit = Gate::Open;
    let edge = |&(from, to)| Edge {
        from,
        to,
        measure: None,
    };
    Graph {
        blocks,
        edges: edges.iter().map(edge).collect(),
    }
}

fn executions(inference: &Inference) -> Vec<f64> {
    inference.blocks.iter().map(|count| *count as f64 / SCALE).collect()
}

#[test]
fn measures_that_fit_together_stay() {
    // The graph is a loop of three blocks with two ways through it.
    let blocks = vec![
        block(20.0, 2.0),
        block(400.0, 4.0),
        block(70.0, 1.0),
        block(90.0, 3.0),
        block(100.0, 1.0),
        block(10.0, 1.0),
    ];
    let edges = [(0, 1), (1, 2), (1, 3), (2, 4), (3, 4), (4, 1), (4, 5)];
    let inference = infer(&graph(blocks, &edges)).expect("small");
    assert_eq!(executions(&inference), [10.0, 100.0, 70.0, 30.0, 100.0, 10.0]);
    let edges: Vec<f64> = inference.edges.iter().map(|count| *count as f64 / SCALE).collect();
    assert_eq!(edges, [10.0, 70.0, 30.0, 70.0, 30.0, 90.0, 10.0]);
    assert_eq!(
        (inference.entries[0], inference.exits[5]),
        (10 * SCALE as u64, 10 * SCALE as u64)
    );
}

#[test]
fn a_block_without_samples_has_what_its_neighbours_need() {
    let blocks = vec![block(500.0, 5.0), block(0.0, 1.0), block(800.0, 8.0)];
    let inference = infer(&graph(blocks, &[(0, 1), (1, 2)])).expect("small");
    let found = executions(&inference);
    assert!(found.iter().all(|count| (count - 100.0).abs() < 8.0), "{found:?}");
}

#[test]
fn more_samples_have_more_weight() {
    let blocks = vec![block(4000.0, 4.0), block(20.0, 0.04), block(4000.0, 4.0)];
    let found = executions(&infer(&graph(blocks, &[(0, 1), (1, 2)])).expect("small"));
    assert!(found.iter().all(|count| (count - 1000.0).abs() < 10.0), "{found:?}");
}

#[test]
fn edges_that_were_measured_decide() {
    let mut split = graph(
        vec![block(0.0, 1e-6), block(0.0, 1e-6), block(0.0, 1e-6), block(0.0, 1e-6)],
        &[(0, 1), (0, 2), (1, 3), (2, 3)],
    );
    for block in &mut split.blocks {
        block.measure = None;
    }
    for (edge, samples) in split.edges.iter_mut().zip([30.0, 10.0]) {
        edge.measure = Some(Measure {
            samples,
            per_execution: 1.0,
        });
    }
    assert_eq!(executions(&infer(&split).expect("small")), [40.0, 30.0, 10.0, 40.0]);
}

#[test]
fn an_edge_to_nowhere_is_refused() {
    assert_eq!(infer(&graph(vec![block(1.0, 1.0)], &[(0, 1)])), None);
    assert_eq!(infer(&Graph::default()).map(|found| found.blocks), Some(Vec::new()));
}
