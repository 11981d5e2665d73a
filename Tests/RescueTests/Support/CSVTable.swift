import Fixtures

/// Comma-separated values (RFC 4180), read strictly: every record has a value for each name in the first one.
struct CSVTable {
    /// By the names in the first record.
    let rows: [[String: String]]

    init(_ text: String) throws {
        let records = Self.records(text)
        guard let header = records.first else { throw FixtureError("the CSV is empty") }
        rows = try records.dropFirst().map { record in
            guard record.count == header.count else {
                throw FixtureError("a CSV record has \(record.count) fields instead of \(header.count): \(record)")
            }
            return Dictionary(zip(header, record)) { first, _ in first }
        }
    }

    private static func records(_ text: String) -> [[String]] {
        var records: [[String]] = []
        var record: [String] = []
        var field = ""
        var isQuoted = false
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"":
                // A doubled quote inside a quoted field closes it and opens it again.
                if !isQuoted, !field.isEmpty { field.unicodeScalars.append("\"") }
                isQuoted.toggle()
            case "," where !isQuoted:
                record.append(field)
                field = ""
            case "\n" where !isQuoted:
                records.append(record + [field])
                (record, field) = ([], "")
            case "\r" where !isQuoted: continue
            default: field.unicodeScalars.append(scalar)
            }
        }
        if !record.isEmpty || !field.isEmpty { records.append(record + [field]) }
        return records
    }
}
