/// A place in a recipe that is not as it must be.
package struct RecipeMistake: Error, Hashable {
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

extension RecipeMistake: CustomStringConvertible {
    package var description: String { "\(file):\(line):\(column): found \(found); expected \(expected)." }
}

extension CoordinatorError {
    init(_ mistake: RecipeMistake) {
        self.init(
            .invalidRecipe, "The recipe has a mistake: \(mistake)",
            nextStep: "Mend that line and repeat the command. Nothing was changed.")
    }
}
