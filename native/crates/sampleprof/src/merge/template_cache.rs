use super::template::Template;

/// Largest number of templates of a function.
const MAX_TEMPLATES: usize = 8;

/// Number of templates that a function may always have, even if they do not match: further profiles may differ more
/// than the profiles so far.
const MIN_TEMPLATES: usize = 2;

/// The structures that a function had in the files so far.
#[derive(Default)]
pub(super) struct TemplateCache {
    templates: Vec<Template>,
    /// For each template, the number of functions that had been compared when it matched last.
    last_match: Vec<u32>,
    matches: u32,
    misses: u32,
}

impl TemplateCache {
    /// Returns the templates. They do not change while functions of a batch of files are added.
    pub(super) fn templates(&self) -> &[Template] {
        &self.templates
    }

    /// Returns the template with this index, and notes that a function matched it.
    pub(super) fn note_match(&mut self, index: usize) -> &mut Template {
        self.matches = self.matches.saturating_add(1);
        self.last_match[index] = self.comparisons();
        &mut self.templates[index]
    }

    /// Notes that a function matched no template. Returns true if a new template would be of use.
    pub(super) fn note_miss(&mut self) -> bool {
        self.misses = self.misses.saturating_add(1);
        self.has_room() || self.misses.is_power_of_two()
    }

    /// Returns true if there is room for another template. A function may have more templates if its templates match
    /// often.
    fn has_room(&self) -> bool {
        let len = self.templates.len();
        len < MIN_TEMPLATES || len < MAX_TEMPLATES && self.matches as usize > MAX_TEMPLATES * len
    }

    fn comparisons(&self) -> u32 {
        self.matches.saturating_add(self.misses)
    }

    /// Adds a template, unless an equal one is known. If there is no room, removes and returns the template that has
    /// not matched for the longest time.
    pub(super) fn insert(&mut self, template: Template) -> Option<Template> {
        if self.templates.iter().any(|known| known.equals(&template)) {
            return None;
        }
        let now = self.comparisons();
        if self.has_room() {
            self.templates.push(template);
            self.last_match.push(now);
            return None;
        }
        let oldest = (0..self.templates.len()).min_by_key(|&index| self.last_match[index])?;
        self.last_match[oldest] = now;
        Some(std::mem::replace(&mut self.templates[oldest], template))
    }

    /// Returns all templates, and ends the comparison.
    pub(super) fn into_templates(self) -> Vec<Template> {
        self.templates
    }
}
