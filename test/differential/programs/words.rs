//! Word statistics with the standard library: hash map, strings, closures, boxed traits, `?` on
//! errors, and a catch of an unwinding panic.
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};

/// A hasher without a random seed: every run counts alike.
#[derive(Default)]
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x100000001b3);
        }
    }
}

type Counts<'a> = HashMap<&'a str, usize, BuildHasherDefault<Fnv>>;

#[derive(Debug)]
enum Refused {
    TooShort(usize),
    Digit(char),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::TooShort(length) => write!(f, "{length} letters"),
            Refused::Digit(digit) => write!(f, "digit {digit}"),
        }
    }
}

trait Measure {
    fn of(&self, word: &str) -> Result<usize, Refused>;
}

struct Vowels;
struct Longest<F: Fn(&str) -> usize>(F);

impl Measure for Vowels {
    fn of(&self, word: &str) -> Result<usize, Refused> {
        if word.len() < 2 {
            return Err(Refused::TooShort(word.len()));
        }
        Ok(word.chars().filter(|c| "aeiou".contains(*c)).count())
    }
}

impl<F: Fn(&str) -> usize> Measure for Longest<F> {
    fn of(&self, word: &str) -> Result<usize, Refused> {
        if let Some(digit) = word.chars().find(char::is_ascii_digit) {
            return Err(Refused::Digit(digit));
        }
        Ok((self.0)(word))
    }
}

fn text(words: usize) -> String {
    let syllables = ["ka", "lo", "mi", "ter", "un", "4", "e"];
    let mut state = 7u32;
    let mut next = |limit: usize| {
        state = state.wrapping_mul(1664525).wrapping_add(1013904223);
        (state >> 16) as usize % limit
    };
    let mut out = String::new();
    for _ in 0..words {
        for _ in 0..=next(3) {
            out.push_str(syllables[next(syllables.len())]);
        }
        out.push(' ');
    }
    out
}

fn total(counts: &Counts<'_>, measure: &dyn Measure) -> Result<usize, Refused> {
    let mut sum = 0;
    for (word, count) in counts {
        sum += measure.of(word)? * count;
    }
    Ok(sum)
}

fn main() {
    std::panic::set_hook(Box::new(|_| {}));
    let text = text(6000);
    let mut checksum = 0usize;
    for chunk in text.split_whitespace().collect::<Vec<_>>().chunks(200) {
        let mut counts = Counts::default();
        for word in chunk {
            *counts.entry(word).or_default() += 1;
        }
        let by_count: BTreeMap<usize, Vec<&str>> = counts.iter().fold(BTreeMap::new(), |mut map, (word, n)| {
            map.entry(*n).or_insert_with(Vec::new).push(word);
            map
        });
        checksum = checksum.wrapping_mul(31) + by_count.keys().sum::<usize>();
        let measures: [Box<dyn Measure>; 2] = [Box::new(Vowels), Box::new(Longest(|word| word.len()))];
        for measure in &measures {
            match total(&counts, measure.as_ref()) {
                Ok(sum) => checksum += sum,
                Err(refused) => checksum += refused.to_string().len(),
            }
        }
        let panicked = std::panic::catch_unwind(|| assert!(chunk.len() % 7 != 4, "uneven"));
        checksum += usize::from(panicked.is_err());
    }
    println!("{checksum:x}");
}
