//! Computes the cost of counts that differ from what was measured.

/// The samples that say how often a block or an edge was executed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measure {
    /// Number of samples, at least 0.
    pub samples: f64,
    /// Number of samples that one execution gives on average, above 0.
    pub per_execution: f64,
}

/// A range of counts in which each further execution has the same cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    pub from: f64,
    /// Upper end of the range; infinite for the last one.
    pub to: f64,
    pub slope: f64,
}

/// Largest ratio of the slope of a step to that of the last step of its measure.
const MAX_SLOPE: f64 = 32.0;

impl Measure {
    /// Returns the most likely count.
    pub(crate) fn most_likely(self) -> f64 {
        self.samples / self.per_execution
    }

    /// Returns the negative logarithm of the likelihood of each count, in straight steps. If the block were
    /// executed `x` times, the number of samples would be Poisson-distributed around `x * per_execution`. So the
    /// slope is `per_execution * (1 - most_likely / x)`, which rises with `x`. The first step is as wide as the
    /// standard deviation, and each further step is twice as wide as the one before.
    pub(crate) fn steps(self) -> Vec<Step> {
        let likely = self.most_likely();
        let slope = |at: f64| (self.per_execution * (1.0 - likely / at)).max(-MAX_SLOPE * self.per_execution);
        if self.samples <= 0.0 {
            return vec![Step {
                from: 0.0,
                to: f64::INFINITY,
                slope: self.per_execution,
            }];
        }
        let deviation = likely / self.samples.sqrt();
        let mut bounds = vec![likely];
        let mut width = deviation / 2.0;
        while bounds[0] - width > likely / 16.0 {
            bounds.insert(0, bounds[0] - width);
            width *= 2.0;
        }
        bounds.insert(0, 0.0);
        width = deviation / 2.0;
        let mut last = likely;
        while last < 8.0 * likely {
            last += width;
            bounds.push(last);
            width *= 2.0;
        }
        let mut steps: Vec<Step> = bounds
            .windows(2)
            .map(|bounds| Step {
                from: bounds[0],
                to: bounds[1],
                slope: slope(bounds[0].midpoint(bounds[1])),
            })
            .collect();
        steps.push(Step {
            from: last,
            to: f64::INFINITY,
            slope: slope(1.5 * last),
        });
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_likely_count_costs_least_and_slopes_rise() {
        for (samples, per_execution) in [(1.0, 1.0), (3.0, 7.5), (10_000.0, 0.25), (0.2, 4.0)] {
            let measure = Measure { samples, per_execution };
            let steps = measure.steps();
            assert_eq!(steps[0].from, 0.0);
            assert_eq!(steps.last().map(|step| step.to), Some(f64::INFINITY));
            for pair in steps.windows(2) {
                assert_eq!(pair[0].to, pair[1].from);
                assert!(pair[0].slope <= pair[1].slope, "{steps:?}");
            }
            let behind = steps.iter().find(|step| step.slope > 0.0).expect("an end");
            assert!(
                (behind.from - measure.most_likely()).abs() < 1e-9 * behind.from,
                "{steps:?}"
            );
        }
    }
}
