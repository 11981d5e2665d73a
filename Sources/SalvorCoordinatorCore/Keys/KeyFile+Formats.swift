internal import SalvorSystem
internal import Yams

extension KeyFile {
    /// Values go from the file's locked memory into their own, byte by byte.
    static func csv(_ text: SecretBytes, _ path: String) throws(CoordinatorError) -> [Row] {
        var header: [String] = []
        var rows: [Row] = []
        var reader = CSVReader(text)
        while let (line, fields) = reader.next() {
            if header.isEmpty {
                header = fields.map { field in field.withBytes { String(decoding: $0, as: UTF8.self).lowercased() } }
                if let unknown = header.first(where: { !names.contains($0) }) {
                    // A file without a first record of names begins with a secret: nothing of it is shown.
                    let shown = Spelling.closest(to: unknown, among: names).map { "; did you mean “\($0)”?" } ?? ""
                    throw mistake(
                        path, line, "does not name the columns as \(names.joined(separator: ", "))\(shown)")
                }
                continue
            }
            if fields.count == 1, fields[0].count == 0 { continue }
            guard fields.count == header.count else {
                throw mistake(path, line, "has \(fields.count) fields instead of \(header.count)")
            }
            rows.append(
                Row(line: line, values: Dictionary(zip(header, fields)) { first, _ in first }))
        }
        return rows
    }

    static func yaml(_ text: SecretBytes, _ path: String) throws(CoordinatorError) -> [Row] {
        do throws(YAMLMistake) {
            // The YAML library keeps text in memory of its own: who wants every copy locked and wiped uses CSV.
            let document = try YAMLValue(
                text: text.withBytes { String(decoding: $0, as: UTF8.self) }, file: path, of: "a list of keys")
            var rows: [Row] = []
            for item in try document.list("a list of keys") {
                var values: [String: SecretBytes] = [:]
                for (name, value) in try item.fields(names, of: "a key") {
                    values[name] = SecretBytes(Array(try value.text("text").utf8))
                }
                rows.append(Row(line: item.node.mark?.line ?? 1, values: values))
            }
            return rows
        } catch {
            // What was found may be a key.
            throw mistake(path, error.line, "is not as it must be; expected \(error.expected)")
        }
    }
}

/// Comma-separated values, out of a secret and into secrets.
struct CSVReader {
    private let text: SecretBytes
    private var place = 0
    private var line = 1

    init(_ text: SecretBytes) { self.text = text }

    /// The next record and its line; nil at the end.
    mutating func next() -> (line: Int, fields: [SecretBytes])? {
        guard place < text.count else { return nil }
        let first = line
        var fields: [SecretBytes] = []
        while true {
            let (field, ends) = field()
            fields.append(field)
            if ends { return (first, fields) }
        }
    }

    private mutating func field() -> (field: SecretBytes, endsRecord: Bool) {
        var length = 0
        var isQuoted = false
        var ends = true
        var place = place
        var line = line
        let buffer = text.withBytes { bytes in
            let rest = bytes[place...].prefix { $0 != 0x0A }.count
            return SecretBytes(count: Self.isLong(bytes, from: place) ? bytes.count - place : rest) { (field) in
                while place < bytes.count {
                    let byte = bytes[place]
                    place += 1
                    if byte == 0x0A { line += 1 }
                    switch byte {
                    case 0x22 where isQuoted && place < bytes.count && bytes[place] == 0x22:
                        field[length] = 0x22
                        length += 1
                        place += 1
                    case 0x22 where isQuoted || length == 0: isQuoted.toggle()
                    case 0x2C where !isQuoted:
                        ends = false
                        return
                    case 0x0A where !isQuoted: return
                    case 0x0D where !isQuoted: continue
                    default:
                        field[length] = byte
                        length += 1
                    }
                }
            }
        }
        self.place = place
        self.line = line
        return (buffer.withBytes { SecretBytes($0.prefix(length)) }, ends)
    }

    /// Whether the field may go on beyond its line.
    private static func isLong(_ bytes: UnsafeRawBufferPointer, from place: Int) -> Bool {
        place < bytes.count && bytes[place] == 0x22
    }
}
