//! The resources of a state: nested by module in what `terraform show -json` writes, by block in a state file.

use std::borrow::Cow;
use std::io::Read;

use super::document::Reading;
use super::element::Reader;
use super::instance::Block;
use super::scan::{self, Scan, items};
use super::tokens::Tokens;
use super::window::Stop;
use crate::{GapKind, PlanSection};

/// Modules nested deeper than this are not read.
const MAX_DEPTH: usize = 64;

impl<R: Read> Reading<'_, R> {
    /// The state before a plan. Where a plan has no changes, it is what there is after it too.
    pub(super) fn prior_state(&mut self) -> Result<(), Stop> {
        if !self.window.enter(b'{')? {
            return Ok(());
        }
        while let Some(key) = self.window.next_key()? {
            if key == "values" {
                self.document.has_prior = true;
                self.values("/prior_state/values")?;
            } else {
                self.window.skip()?;
            }
        }
        Ok(())
    }

    /// The `values` of a state, which stand at `pointer`.
    pub(super) fn values(&mut self, pointer: &str) -> Result<(), Stop> {
        if self.window.enter(b'{')? {
            while let Some(key) = self.window.next_key()? {
                if key == "root_module" {
                    self.state_module(&format!("{pointer}/root_module"), 0)?;
                } else {
                    self.window.skip()?;
                }
            }
        }
        Ok(())
    }

    fn state_module(&mut self, pointer: &str, depth: usize) -> Result<(), Stop> {
        if depth > MAX_DEPTH {
            return self.window.malformed("modules are nested too deeply");
        }
        if !self.window.enter(b'{')? {
            return Ok(());
        }
        while let Some(key) = self.window.next_key()? {
            match key.as_str() {
                "resources" => {
                    self.document.layout.list(self.document.count, &format!("{pointer}/resources"), "values");
                    if self.window.enter(b'[')? {
                        while self.window.next_item()? {
                            self.element(PlanSection::State, self.document.count)?;
                            self.document.count += 1;
                        }
                    }
                }
                "child_modules" => {
                    if self.window.enter(b'[')? {
                        let mut at = 0;
                        while self.window.next_item()? {
                            self.state_module(&format!("{pointer}/child_modules/{at}"), depth + 1)?;
                            at += 1;
                        }
                    }
                }
                _ => self.window.skip()?,
            }
        }
        Ok(())
    }

    /// The `resources` of a state file: blocks, each with its instances.
    pub(super) fn state_resources(&mut self) -> Result<(), Stop> {
        self.document.has_blocks = true;
        if !self.window.enter(b'[')? {
            return Ok(());
        }
        let mut at = 0;
        while self.window.next_item()? {
            let pointer = format!("/resources/{at}/instances");
            self.document.layout.list(self.document.count, &pointer, "attributes");
            self.state_block()?;
            at += 1;
        }
        Ok(())
    }

    fn state_block(&mut self) -> Result<(), Stop> {
        if !self.window.enter(b'{')? {
            return Ok(());
        }
        let mut block = Block::default();
        // Terraform writes what a block is before its instances; sorted members come in another order.
        let mut waiting: Option<Box<str>> = None;
        while let Some(key) = self.window.next_key()? {
            match key.as_str() {
                "module" => block.module = self.text()?,
                "mode" => block.mode = self.text()?,
                "type" => block.kind = self.text()?,
                "name" => block.name = self.text()?,
                "instances" if block.is_known() => {
                    block.is_read = true;
                    self.instances(&block)?;
                }
                "instances" => waiting = Some(self.window.read(|scan| Ok(Box::from(scan.take()?)))?),
                _ => self.window.skip()?,
            }
            if block.is_read && key == "module" {
                return self.window.malformed("the module of a resource stands behind its instances");
            }
        }
        let Some(waiting) = waiting else { return Ok(()) };
        if !block.is_known() {
            self.gap(GapKind::Unreadable, "a resource of the state has no mode, type or name");
            return Ok(());
        }
        let mut found = Vec::new();
        let interest = &self.tables.interest;
        let mut index = self.document.count;
        let mut tokens = Tokens::default();
        let walked = items(&mut Scan::new(waiting.as_bytes(), true, &mut tokens), |scan| {
            let mut reader = Reader { interest, names: &mut self.names, section: PlanSection::State, index };
            found.push(reader.instance(scan, &block)?);
            index += 1;
            Ok(())
        });
        if walked.is_err() {
            return self.window.malformed("the instances of a resource are not a list");
        }
        found.into_iter().for_each(|found| self.found(found));
        self.document.count = index;
        Ok(())
    }

    fn instances(&mut self, block: &Block) -> Result<(), Stop> {
        if !self.window.enter(b'[')? {
            return Ok(());
        }
        while self.window.next_item()? {
            let interest = &self.tables.interest;
            let index = self.document.count;
            let mut reader = Reader { interest, names: &mut self.names, section: PlanSection::State, index };
            let found = self.window.read(|scan| reader.instance(scan, block))?;
            self.found(found);
            self.document.count += 1;
        }
        Ok(())
    }

    fn text(&mut self) -> Result<Option<String>, Stop> {
        self.window.read(|scan| Ok(scan::text(scan.take()?).map(Cow::into_owned)))
    }
}
