internal import SalvorCoordinatorCore
internal import SystemPackage
internal import Yams

/// The kinds of value that a machine's definition is made of.
extension YAMLValue {
    func integer(_ range: ClosedRange<Int>, _ what: String) throws(YAMLMistake) -> Int {
        guard let value = node.int, range.contains(value) else {
            throw mistake(found: shown, expected: "\(what), from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func choice<Value: RawRepresentable & CaseIterable>(_ type: Value.Type) throws(YAMLMistake) -> Value
    where Value.RawValue == String {
        let names = Value.allCases.map(\.rawValue)
        let expected = "one of \(names.joined(separator: ", "))"
        let text = try text(expected)
        guard let value = Value(rawValue: text) else { throw mistake(found: shown, expected: expected) }
        return value
    }

    /// Relative paths start at the definition's own folder, so that an inventory can be moved as a whole.
    func path(_ what: String) throws(YAMLMistake) -> FilePath {
        FilePath(file).removingLastComponent().pushing(FilePath(try text("\(what), a path"))).lexicallyNormalized()
    }
}

extension YAMLMistake {
    var providerError: ProviderError {
        ProviderError(
            .invalidDefinition, "The inventory has a mistake: \(self)",
            nextStep: "Mend that line and repeat the command. Nothing was changed.")
    }
}
