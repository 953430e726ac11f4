//! What can befall a server behind the service's back: a full disk, a failover, another version, a replica that lags, a
//! time zone, the loss of all of it.

use super::front::Front;
use super::functions::lock;
use super::hosted::Hosted;
use super::profile::Profile;
use super::rack::Rack;
use super::{timing, zones};
use jiff::{SignedDuration, Timestamp};
use recovery::model::{InstanceId, Product};
use recovery::ports::clock::later;
use recovery::ports::database::DatabaseError;

/// What has befallen a server.
#[derive(Debug, Default)]
pub(super) struct Harm {
    /// Its machine's disk is full: it refuses whatever would take room.
    pub disk_full: bool,
    /// It lets nobody in before this time: a stand-by is taking over, or it starts again.
    pub away_until: Option<Timestamp>,
    /// Milliseconds its replica is behind, whatever its parameters say.
    pub lag_ms: Option<u64>,
    /// Its time zone, whatever its parameters say.
    pub zone: Option<String>,
}

/// Why a server cannot be harmed so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unharmed {
    /// It is not there.
    NoInstance,
    /// Its log has no files.
    NoLogFiles,
    /// It is no replica and has none.
    NoReplica,
    /// It is of this product, whose engine is another one.
    OtherEngine(Product),
}

impl Front {
    /// Refuses while the server is away.
    pub fn is_back(&self, now: Timestamp) -> Result<(), DatabaseError> {
        match self.harm.away_until {
            Some(until) if now < until => {
                Err(DatabaseError::Unreachable(format!("{}: connection refused", self.instance)))
            }
            _ => Ok(()),
        }
    }

    /// Refuses to write where the disk is full.
    pub fn has_room(&self) -> Result<(), DatabaseError> {
        if self.harm.disk_full { Err(DatabaseError::DiskFull) } else { Ok(()) }
    }

    /// The name of the time zone its sessions have.
    pub fn zone_name(&self) -> &str {
        let set = self.harm.zone.as_ref().or_else(|| self.configuration.parameters.get("time_zone"));
        set.map_or("SYSTEM", String::as_str)
    }

    /// Ends all sessions and lets nobody in for a while.
    fn goes_away(&mut self, now: Timestamp, span: SignedDuration) {
        self.end_sessions();
        self.harm.away_until = Some(later(now, span));
    }
}

impl Hosted {
    /// How far what its replica shows is behind, if that was said.
    pub fn lag(&self) -> Option<SignedDuration> {
        let lag_ms = self.harm.lag_ms?;
        Some(SignedDuration::from_millis(i64::try_from(lag_ms).unwrap_or(i64::MAX)))
    }
}

impl Rack {
    /// Fills a machine's disk up, or makes room on it again; false where there is no such machine.
    pub(crate) fn fill_disk(&self, machine: &str, full: bool) -> bool {
        let inner = &mut *lock(&self.inner);
        let known = inner.names.iter().any(|name| name == machine);
        if known && full {
            inner.full.insert(machine.to_owned());
        } else if known {
            inner.full.remove(machine);
        }
        known
    }

    /// Moves an instance to its stand-by: all that was committed is there, and the log goes on where it was.
    pub(crate) fn fail_over(&self, instance: &InstanceId, now: Timestamp) -> Result<(), Unharmed> {
        self.harm(instance, |server| {
            if let Hosted::Redis(redis) = server {
                redis.promote_replica();
            }
            server.goes_away(now, timing::FAILOVER);
            Ok(())
        })
    }

    /// Upgrades or downgrades the server of an instance in place; it starts again with all its content.
    pub(crate) fn set_product(&self, instance: &InstanceId, product: Product, now: Timestamp) -> Result<(), Unharmed> {
        self.harm(instance, |server| {
            if server.product.engine != product.engine {
                return Err(Unharmed::OtherEngine(server.product));
            }
            server.product = product;
            if let Some(server) = server.sql() {
                server.profile = Profile::of(product);
            }
            server.goes_away(now, timing::FAILOVER);
            Ok(())
        })
    }

    /// Sets how far a replica is behind its master: a read-only or disaster recovery instance, or the replica node of a
    /// Redis instance.
    pub(crate) fn set_lag(&self, instance: &InstanceId, lag_ms: u64) -> Result<(), Unharmed> {
        self.harm(instance, |server| {
            if server.sql().is_some_and(|server| server.follows.is_none()) {
                return Err(Unharmed::NoReplica);
            }
            server.harm.lag_ms = Some(lag_ms);
            Ok(())
        })
    }

    /// Takes the files away in which a server's log lies up to now.
    pub(crate) fn lose_log_file(&self, instance: &InstanceId) -> Result<(), Unharmed> {
        self.harm(instance, |server| match server.sql() {
            Some(server) if server.profile.log_files => {
                server.log_files.lose(server.log.position());
                Ok(())
            }
            _ => Err(Unharmed::NoLogFiles),
        })
    }

    /// Sets the time zone of a server's sessions.
    pub(crate) fn set_zone(&self, instance: &InstanceId, zone: &str) -> Result<(), Unharmed> {
        self.harm(instance, |server| {
            server.harm.zone = Some(zone.to_owned());
            Ok(())
        })
    }

    fn harm(
        &self,
        instance: &InstanceId,
        work: impl FnOnce(&mut Hosted) -> Result<(), Unharmed>,
    ) -> Result<(), Unharmed> {
        let machine = self.machine_of(instance).ok_or(Unharmed::NoInstance)?;
        self.on(&machine, instance, work).unwrap_or(Err(Unharmed::NoInstance))
    }
}

/// Whether there is a time zone of that name; the names there are, where not.
pub(crate) fn check_zone(name: &str) -> Result<(), String> {
    zones::zone(name).map(drop).ok_or_else(zones::known)
}
