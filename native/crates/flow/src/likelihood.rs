//! The cost of counts that differ from what was measured.

/// What samples say of how often something was executed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measure {
    /// Samples, at least 0.
    pub samples: f64,
    /// Samples to expect of one execution, above 0.
    pub per_execution: f64,
}

/// Executions cost by the unit from `from` to `to`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    pub from: f64,
    /// Infinite for the last one.
    pub to: f64,
    pub slope: f64,
}

/// No step is steeper than so many times its measure's last one.
const STEEPEST: f64 = 32.0;

impl Measure {
    /// The count that is most likely.
    pub(crate) fn most_likely(self) -> f64 {
        self.samples / self.per_execution
    }

    /// The negative logarithm of the likelihood of each count, in straight steps. If `x` were executed, the number of samples would be
    /// Poisson-distributed around `x * per_execution`, so the slope is `per_execution * (1 - most_likely / x)`, which rises with `x`. Steps are
    /// as wide as the standard deviation at first, and twice as wide each time.
    pub(crate) fn steps(self) -> Vec<Step> {
        let likely = self.most_likely();
        let slope = |at: f64| (self.per_execution * (1.0 - likely / at)).max(-STEEPEST * self.per_execution);
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
