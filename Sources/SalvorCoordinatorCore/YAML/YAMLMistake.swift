/// A place in a YAML file that is not as it must be.
package struct YAMLMistake: Error, Hashable {
    package var file: String
    /// Counts from 1.
    package var line: Int
    /// Counts from 1, in Unicode scalars.
    package var column: Int
    package var found: String
    package var expected: String

    package init(file: String, line: Int, column: Int, found: String, expected: String) {
        self.file = file
        self.line = line
        self.column = column
        self.found = found
        self.expected = expected
    }
}

extension YAMLMistake: CustomStringConvertible {
    package var description: String { "\(file):\(line):\(column): found \(found); expected \(expected)." }
}
