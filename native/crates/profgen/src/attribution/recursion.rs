//! Shortens contexts of code that calls itself.

/// How contexts are shortened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shortening {
    /// Greatest number of calls in a sequence whose repetitions are left out.
    pub longest_repetition: usize,
    /// Most calls that are kept; `None` for all.
    pub most_calls: Option<usize>,
}

impl Shortening {
    /// Leaves out repetitions, then the outermost calls.
    pub(crate) fn apply<T: Copy + PartialEq>(self, calls: &mut Vec<T>) {
        compress(calls, self.longest_repetition);
        keep_innermost(calls, self.most_calls);
    }
}

/// Removes repetitions from a list of calls: of neighbouring sequences that are equal, only the first is
/// kept. Sequences of one call are removed first, then longer ones, of at most `longest` calls (llvm-profgen:
/// `compressRecursionContext`).
fn compress<T: Copy + PartialEq>(calls: &mut Vec<T>, longest: usize) {
    let mut length = 1;
    while length <= longest.min(calls.len() / 2) {
        *calls = without_repetitions(calls, length);
        length += 1;
    }
}

fn without_repetitions<T: Copy + PartialEq>(calls: &[T], length: usize) -> Vec<T> {
    let mut kept = calls[..length].to_vec();
    // Calls before `done` are either kept or left out. Calls before `start` can be no part of a further
    // repetition.
    let (mut done, mut start) = (length, 0);
    while done + length <= calls.len() {
        let same = (start..done)
            .rev()
            .take_while(|&index| calls[index] == calls[index + length])
            .count();
        let repeats = same == done - start;
        start = done;
        // Equal calls at the end may be the beginning of the next repetition.
        let end = if repeats { done + length } else { done + length - same };
        if !repeats {
            kept.extend_from_slice(&calls[done..end]);
        }
        done = end;
    }
    kept.extend_from_slice(&calls[done..]);
    kept
}

/// Removes the outermost calls until at most `most` are left.
fn keep_innermost<T>(calls: &mut Vec<T>, most: Option<usize>) {
    if let Some(surplus) = most.and_then(|most| calls.len().checked_sub(most)) {
        calls.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compressed(calls: &str, longest: usize) -> String {
        let mut calls: Vec<char> = calls.chars().collect();
        compress(&mut calls, longest);
        calls.into_iter().collect()
    }

    #[test]
    fn repetitions_go() {
        assert_eq!(compressed("", 9), "");
        assert_eq!(compressed("aabb", 9), "ab");
        assert_eq!(compressed("mfafafal", 9), "mfal");
        assert_eq!(compressed("abcabcabd", 9), "abcabd");
        assert_eq!(compressed("abab", 1), "abab");
        assert_eq!(compressed("aaaa", 0), "aaaa");
        // Sequences of one call are removed first.
        assert_eq!(compressed("abbabab", 9), "ab");
    }

    #[test]
    fn the_innermost_calls_stay() {
        let mut calls = vec![1, 2, 3];
        keep_innermost(&mut calls, None);
        assert_eq!(calls, [1, 2, 3]);
        keep_innermost(&mut calls, Some(2));
        assert_eq!(calls, [2, 3]);
        keep_innermost(&mut calls, Some(0));
        assert!(calls.is_empty(), "{calls:?}");
    }
}
