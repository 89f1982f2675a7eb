//! Compares the network simplex with a slow method, which cancels cycles of negative cost until there is none.

use flow::{Arc, circulate};
use proptest::prelude::*;

/// Returns the residual arcs: end, start, cost, index and direction.
fn residual(arcs: &[Arc], flows: &[i64]) -> Vec<(usize, usize, i64, usize, bool)> {
    let mut found = Vec::new();
    for (index, (arc, &flow)) in arcs.iter().zip(flows).enumerate() {
        let (from, to) = (arc.from as usize, arc.to as usize);
        if flow < arc.capacity {
            found.push((from, to, arc.cost, index, true));
        }
        if flow > 0 {
            found.push((to, from, -arc.cost, index, false));
        }
    }
    found
}

/// Finds a cycle of negative cost by the method of Bellman and Ford.
fn negative_circle(nodes: usize, arcs: &[(usize, usize, i64, usize, bool)]) -> Option<Vec<usize>> {
    let (mut cost, mut by) = (vec![0i64; nodes], vec![None; nodes]);
    let mut last = None;
    for _ in 0..=nodes {
        last = None;
        for (number, &(from, to, price, ..)) in arcs.iter().enumerate() {
            if cost[from] + price < cost[to] {
                cost[to] = cost[from] + price;
                by[to] = Some(number);
                last = Some(to);
            }
        }
    }
    let mut at = last?;
    for _ in 0..nodes {
        at = arcs[by[at]?].0;
    }
    let (mut circle, start) = (Vec::new(), at);
    loop {
        let number = by[at]?;
        circle.push(number);
        at = arcs[number].0;
        if at == start {
            return Some(circle);
        }
    }
}

fn least_cost(nodes: usize, arcs: &[Arc]) -> i64 {
    let mut flows = vec![0; arcs.len()];
    loop {
        let residual = residual(arcs, &flows);
        let Some(circle) = negative_circle(nodes, &residual) else {
            return cost(arcs, &flows);
        };
        let room = |number: &usize| {
            let (.., index, forward) = residual[*number];
            if forward {
                arcs[index].capacity - flows[index]
            } else {
                flows[index]
            }
        };
        let most = circle.iter().map(room).min().expect("a circle");
        for number in circle {
            let (.., index, forward) = residual[number];
            flows[index] += if forward { most } else { -most };
        }
    }
}

fn cost(arcs: &[Arc], flows: &[i64]) -> i64 {
    arcs.iter().zip(flows).map(|(arc, flow)| arc.cost * flow).sum()
}

fn network() -> impl Strategy<Value = (usize, Vec<Arc>)> {
    (1usize..9).prop_flat_map(|nodes| {
        let end = 0..nodes as u32;
        let arc = (end.clone(), end, 0i64..20, -12i64..12).prop_map(|(from, to, capacity, cost)| Arc {
            from,
            to,
            capacity,
            cost,
        });
        (Just(nodes), prop::collection::vec(arc, 0..30))
    })
}

proptest! {
    #[test]
    fn flows_are_valid_and_cost_least((nodes, arcs) in network()) {
        let flows = circulate(nodes, &arcs, 100_000).expect("few pivots");
        let mut balance = vec![0; nodes];
        for (arc, &flow) in arcs.iter().zip(&flows) {
            prop_assert!((0..=arc.capacity).contains(&flow));
            balance[arc.from as usize] -= flow;
            balance[arc.to as usize] += flow;
        }
        prop_assert!(balance.iter().all(|sum| *sum == 0));
        prop_assert_eq!(cost(&arcs, &flows), least_cost(nodes, &arcs));
    }
}

#[test]
fn networks_without_a_solution_are_refused() {
    let arc = |from, to, capacity, cost| Arc {
        from,
        to,
        capacity,
        cost,
    };
    assert_eq!(circulate(0, &[], 0), Some(Vec::new()));
    assert_eq!(circulate(2, &[arc(0, 2, 1, 1)], 10), None);
    assert_eq!(circulate(2, &[arc(0, 1, -1, 1)], 10), None);
    assert_eq!(circulate(2, &[arc(0, 1, Arc::UNBOUNDED, -1)], 10), None);
    let circle = [arc(0, 1, 5, -2), arc(1, 0, Arc::UNBOUNDED, 1)];
    assert_eq!(circulate(2, &circle, 0), None);
    assert_eq!(circulate(2, &circle, 10), Some(vec![5, 5]));
}
