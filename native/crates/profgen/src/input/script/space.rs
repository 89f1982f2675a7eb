//! The address space as far as a text has stated it.
//!
//! Text does not say which process a sample belongs to. So the mappings of all processes make one address
//! space, newer mappings on top of older ones. This is right as long as no two processes have different
//! things at one address, which randomised layouts make unlikely. llvm-profgen, and compat mode with it, has
//! a single load address, that of the newest mapping.

use job::Error;
use perfdata::Mapping;

use crate::addresses::binding::{Binding, BoundPiece, bind, recognize};
use crate::addresses::load_address::{LoadAddress, is_of_target};
use crate::addresses::locate::View;
use crate::binaries::target::{Target, Targets};
use crate::request::options::GenerateOptions;
use crate::request::policy::Policy;

/// Most stretches of mappings that are remembered. Older stretches are forgotten, because their processes
/// will have ended.
const REMEMBERED: usize = 256;

/// The address space of a group of targets.
pub(crate) struct Space<'a> {
    targets: &'a Targets<'a>,
    layout: Layout<'a>,
}

enum Layout<'a> {
    /// The load address of the only target.
    OneAddress(LoadAddress),
    Layers {
        /// Layers in ascending order. They are disjoint.
        pieces: Vec<Layer<'a>>,
        /// Number of mappings so far.
        age: u64,
    },
}

#[derive(Clone, Copy)]
struct Layer<'a> {
    target: &'a Target<'a>,
    piece: BoundPiece,
    /// Number of the mapping.
    age: u64,
}

impl<'a> Space<'a> {
    /// Makes an address space without mappings.
    pub(crate) fn new(targets: &'a Targets<'a>, policy: Policy) -> Self {
        let layout = if policy.any_text {
            Layout::Layers {
                pieces: Vec::new(),
                age: 0,
            }
        } else {
            Layout::OneAddress(LoadAddress::preferred(targets.first()))
        };
        Self { targets, layout }
    }

    /// Follows a mapping. Returns its content, and whether addresses mean something else from now on.
    pub(crate) fn follow(&mut self, mapping: &Mapping, options: &GenerateOptions) -> Result<(Binding, bool), Error> {
        match &mut self.layout {
            Layout::OneAddress(address) => {
                let target = self.targets.first();
                if !is_of_target(mapping, mapping.file.build_id.as_ref(), self.targets, options) {
                    return Ok((Binding::Other, false));
                }
                let changed = address.follow(mapping, target)?;
                Ok((Binding::Target(target.id, Vec::new()), changed))
            }
            Layout::Layers { pieces, age } => {
                if !mapping.executable {
                    return Ok((Binding::Other, false));
                }
                let recorded = mapping.file.build_id.as_ref().filter(|_| options.policy.build_ids);
                let binding = recognize(mapping, recorded, self.targets, options.ignore_build_id)
                    .map_or(Binding::Other, |found| bind(mapping, &found, self.targets));
                let mut changed = false;
                if let Binding::Target(id, bound) = &binding {
                    *age += 1;
                    let target = &self.targets[*id];
                    for &piece in bound {
                        let layer = Layer {
                            target,
                            piece,
                            age: *age,
                        };
                        changed |= cover(pieces, layer);
                    }
                }
                Ok((binding, changed))
            }
        }
    }

    /// Returns true if any mapping of a target was found. Without a mapping, the only target is taken to be
    /// at the address that it was linked for.
    pub(crate) fn is_mapped(&self) -> bool {
        match &self.layout {
            Layout::OneAddress(address) => address.is_confirmed,
            Layout::Layers { pieces, .. } => !pieces.is_empty(),
        }
    }

    /// Returns the view of the address space as it is now.
    pub(crate) fn view(&self) -> View<'a> {
        let everywhere = |delta| {
            let piece = BoundPiece {
                start: 0,
                last: u64::MAX,
                delta,
            };
            vec![(self.targets.first(), piece)]
        };
        View::of(match &self.layout {
            Layout::OneAddress(address) => everywhere(address.delta(self.targets.first())),
            Layout::Layers { pieces, .. } if pieces.is_empty() && self.targets.len() == 1 => everywhere(0),
            Layout::Layers { pieces, .. } => pieces.iter().map(|layer| (layer.target, layer.piece)).collect(),
        })
    }
}

/// Puts a layer on top of the others. Returns false if this changes nothing.
fn cover<'a>(layers: &mut Vec<Layer<'a>>, new: Layer<'a>) -> bool {
    let same = |old: &&mut Layer<'a>| old.piece == new.piece && old.target.id == new.target.id;
    if let Some(old) = layers.iter_mut().find(same) {
        old.age = new.age;
        return false;
    }
    let mut visible = Vec::with_capacity(layers.len() + 2);
    for old in layers.drain(..) {
        let BoundPiece { start, last, .. } = old.piece;
        let mut keep = |start, last| {
            let piece = BoundPiece {
                start,
                last,
                ..old.piece
            };
            visible.push(Layer { piece, ..old });
        };
        if last < new.piece.start || start > new.piece.last {
            keep(start, last);
            continue;
        }
        if start < new.piece.start {
            keep(start, new.piece.start - 1);
        }
        if last > new.piece.last {
            keep(new.piece.last + 1, last);
        }
    }
    visible.push(new);
    if visible.len() > REMEMBERED
        && let Some(oldest) = visible.iter().map(|layer| layer.age).min()
    {
        visible.retain(|layer| layer.age != oldest);
    }
    visible.sort_unstable_by_key(|layer| layer.piece.start);
    *layers = visible;
    true
}
