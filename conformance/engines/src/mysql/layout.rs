//! What is to be known of a table before its rows are read or written.

use super::line::Line;
use super::quote;
use super::values::Shape;
use recovery::ports::database::DatabaseError;
use sha2::{Digest, Sha256};

/// A table.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// Columns in order.
    pub columns: Vec<Field>,
    /// Columns of the key that rows are read in the order of; empty without one.
    pub key: Vec<Field>,
    /// Name of that key.
    pub key_name: Option<String>,
    /// Its revision.
    pub revision: u64,
}

/// A column.
#[derive(Debug, Clone)]
pub(super) struct Field {
    /// Name.
    pub name: String,
    /// Type without its length.
    pub data_type: String,
    /// Type as the server writes it.
    pub declared: String,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// Whether the server computes it from others.
    pub generated: bool,
}

impl Field {
    /// What its values are.
    pub fn shape(&self) -> Shape {
        Shape::of_type(&self.data_type)
    }

    /// What is selected to have all digits of its values. A `FLOAT` shows fewer than it has.
    pub fn selected(&self) -> String {
        let name = quote::name(&self.name);
        if self.data_type == "float" { format!("({name} + 0e0)") } else { name }
    }

    /// What rows are ordered by and compared with: where a comparison with a literal would order otherwise than the
    /// column does, a number in its place.
    pub fn ordered(&self) -> String {
        let name = quote::name(&self.name);
        match self.data_type.as_str() {
            "float" => format!("({name} + 0e0)"),
            "enum" | "set" | "bit" => format!("({name} + 0)"),
            _ => name,
        }
    }

    /// What the values of [`Self::ordered`] are.
    pub fn ordered_shape(&self) -> Shape {
        if matches!(self.data_type.as_str(), "enum" | "set" | "bit") { Shape::Whole } else { self.shape() }
    }

    /// Whether a value may be of any length.
    pub fn is_long(&self) -> bool {
        let long = ["blob", "text", "json", "geometry", "vector", "polygon", "linestring", "multi", "geom"];
        long.iter().any(|word| self.data_type.contains(word))
    }
}

impl Layout {
    /// Reads it.
    pub async fn read(line: &mut Line, database: &str, table: &str) -> Result<Self, DatabaseError> {
        // Before the columns: where the table is changed in between, the revision is found to be another afterwards.
        let revision = revision(line, database, table).await?;
        let columns = fields(line, database, table).await?;
        if columns.is_empty() {
            return Err(DatabaseError::NoSuchObject(table.to_owned()));
        }
        let (key_name, key) = key(line, database, table, &columns).await?;
        Ok(Self { columns, key, key_name, revision })
    }

    /// A column.
    pub fn field(&self, name: &str) -> Result<&Field, DatabaseError> {
        let found = self.columns.iter().find(|field| field.name.eq_ignore_ascii_case(name));
        found.ok_or_else(|| DatabaseError::Statement(format!("no such column: {name}")))
    }
}

async fn fields(line: &mut Line, database: &str, table: &str) -> Result<Vec<Field>, DatabaseError> {
    let sql = format!(
        "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, IFNULL(GENERATION_EXPRESSION, ''), EXTRA \
         FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {} ORDER BY ORDINAL_POSITION",
        quote::text(database),
        quote::text(table)
    );
    let field = |mut row: Vec<String>| {
        let mut taken = row.iter_mut().map(std::mem::take);
        let mut next = || taken.next().unwrap_or_default();
        let (name, data_type, declared) = (next(), next().to_lowercase(), next());
        let nullable = next() == "YES";
        // `DEFAULT_GENERATED` says of a column that its default is an expression.
        let generated = !next().is_empty() || next().split(' ').any(|word| word.eq_ignore_ascii_case("generated"));
        Field { name, data_type, declared, nullable, generated }
    };
    Ok(line.texts(&sql).await?.into_iter().map(field).collect())
}

/// The primary key, or a unique key of whole columns without NULLs.
async fn key(
    line: &mut Line,
    database: &str,
    table: &str,
    columns: &[Field],
) -> Result<(Option<String>, Vec<Field>), DatabaseError> {
    let sql = format!(
        "SELECT INDEX_NAME, COLUMN_NAME, IFNULL(SUB_PART, '') FROM information_schema.STATISTICS \
         WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {} AND NON_UNIQUE = 0 \
         ORDER BY INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX",
        quote::text(database),
        quote::text(table)
    );
    let mut keys: Vec<(String, Option<Vec<Field>>)> = Vec::new();
    for row in line.texts(&sql).await? {
        let [index, column, part] = row.as_slice() else { continue };
        if keys.last().is_none_or(|(name, _)| name != index) {
            keys.push((index.clone(), Some(Vec::new())));
        }
        let is_primary = index == "PRIMARY";
        let fits = |field: &&Field| !field.nullable && (is_primary || part.is_empty());
        let field = columns.iter().find(|field| field.name == *column).filter(fits).cloned();
        if let Some((_, key)) = keys.last_mut() {
            *key = key.take().zip(field).map(|(mut key, field)| {
                key.push(field);
                key
            });
        }
    }
    let found = keys.into_iter().find_map(|(name, key)| Some((name, key?)));
    Ok(found.map_or((None, Vec::new()), |(name, key)| (Some(name), key)))
}

/// The revision of a table: it changes with its definition, and with its storage, which `TRUNCATE` makes anew.
pub(super) async fn revision(line: &mut Line, database: &str, table: &str) -> Result<u64, DatabaseError> {
    let made = definition(line, database, table).await?;
    let storage = storage(line, database, Some(table)).await?;
    Ok(hashed(&[&made, storage.first().map_or("", |(_, id)| id)]))
}

/// The statement that makes a table, as the server has it, without where it counts.
pub(super) async fn definition(line: &mut Line, database: &str, table: &str) -> Result<String, DatabaseError> {
    let rows = line.texts(&format!("SHOW CREATE TABLE {}", quote::of(database, table))).await?;
    match rows.into_iter().next().map(Vec::into_iter).map(|mut row| (row.nth(1), row.next())) {
        // A view has two more columns.
        Some((Some(text), None)) => Ok(without_counter(&text)),
        _ => Err(DatabaseError::NoSuchObject(table.to_owned())),
    }
}

fn without_counter(text: &str) -> String {
    let options = text.rfind("\n) ").unwrap_or(0);
    let Some(at) = text[options..].find(" AUTO_INCREMENT=").map(|at| options + at) else {
        return text.to_owned();
    };
    let number = at + " AUTO_INCREMENT=".len();
    let end = text[number..].find(|letter: char| !letter.is_ascii_digit()).map_or(text.len(), |end| number + end);
    format!("{}{}", &text[..at], &text[end..])
}

/// What the storage of tables is called, which each making and emptying of a table changes.
pub(super) async fn storage(
    line: &mut Line,
    database: &str,
    table: Option<&str>,
) -> Result<Vec<(String, String)>, DatabaseError> {
    let own = table.map_or(String::new(), |table| format!(" AND TABLE_NAME = {}", quote::text(table)));
    let sql = format!(
        "SELECT TABLE_NAME, IFNULL(CREATE_TIME, '') FROM information_schema.TABLES WHERE TABLE_SCHEMA = {}{own}",
        quote::text(database)
    );
    let made = line.texts(&sql).await?;
    // Number and name come first there; the rest changes where columns are added and dropped without new storage.
    let catalogue = if line.is_mariadb { "INNODB_SYS_TABLES" } else { "INNODB_TABLES" };
    let wanted = filter(database, table);
    let found = match line.texts(&format!("SELECT * FROM information_schema.{catalogue}{wanted}")).await {
        // Without the right to look there, the time of making has to do.
        Err(DatabaseError::NotPermitted { .. }) => Vec::new(),
        found => found?,
    };
    let files: Vec<(&str, String)> =
        found.iter().filter_map(|row| Some((row.get(1)?.as_str(), row.join(" ")))).collect();
    let storage = |name: &String, time: &String| {
        let whole = format!("{database}/{name}");
        let own = files.iter().filter(|(file, _)| stands_for(file, &whole)).map(|(_, row)| row.as_str());
        (name.clone(), format!("{time} {}", own.collect::<Vec<_>>().join(",")))
    };
    Ok(made.iter().filter_map(|row| Some(storage(row.first()?, row.get(1)?))).collect())
}

/// Restricts the storage catalogue, where names are kept as the server names files, to some of what is wanted at most.
fn filter(database: &str, table: Option<&str>) -> String {
    let plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match table {
        Some(table) if plain(database) && plain(table) => {
            format!(" WHERE NAME = '{database}/{table}' OR NAME LIKE '{database}/{table}#%'")
        }
        _ if plain(database) => format!(" WHERE NAME LIKE '{database}/%'"),
        _ => String::new(),
    }
}

/// Whether a name of the storage catalogue is a table's or one of its partitions'. Letters beyond ASCII have codes there
/// that are not known here: any code will do, so that another table may be taken for this one, never the other way round.
fn stands_for(file: &str, table: &str) -> bool {
    let mut rest = file;
    for letter in table.chars() {
        if letter.is_ascii_alphanumeric() || matches!(letter, '_' | '/') {
            let Some(after) = rest.strip_prefix(letter) else { return false };
            rest = after;
            continue;
        }
        let Some(code) = rest.strip_prefix('@') else { return false };
        let exact = format!("{:04x}", u32::from(letter));
        let length = if code.get(..4).is_some_and(|four| four.eq_ignore_ascii_case(&exact)) {
            4
        } else if letter.is_ascii() {
            return false;
        } else {
            2
        };
        let Some(after) = code.get(length..) else { return false };
        rest = after;
    }
    rest.is_empty() || rest.starts_with('#')
}

/// A number that stands for texts.
pub(super) fn hashed(texts: &[&str]) -> u64 {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    let digest = hash.finalize();
    // Such a number goes through JSON, where not every reader takes all 64 bits.
    digest[..8].iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte)) >> 11
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_known_by_the_name_of_its_file() {
        assert!(stands_for("shop/a@0020b@002e@0p", "shop/a b.é"));
        assert!(stands_for("shop/@540d", "shop/名"));
        assert!(stands_for("shop/parts#p#p0", "shop/parts"));
        assert!(!stands_for("shop/parts2", "shop/parts"));
        assert!(!stands_for("shop/a@0021b", "shop/a b"));
    }

    #[test]
    fn where_a_table_counts_is_no_part_of_its_definition() {
        let text = "CREATE TABLE `t` (\n  `a` int DEFAULT ' AUTO_INCREMENT=7'\n) ENGINE=InnoDB AUTO_INCREMENT=12 X";
        assert!(without_counter(text).ends_with("' AUTO_INCREMENT=7'\n) ENGINE=InnoDB X"));
    }
}
