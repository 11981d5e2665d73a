import SalvorJSON
import SalvorSystem
import Synchronization
import Testing

@Suite struct SystemTests {
    private enum Fault: Error, Equatable { case broken }

    @Test("Blocking work gives its value, and its own error with its type")
    func results() async throws {
        #expect(await Blocking.run { 7 } == 7)
        do throws(Fault) {
            try await Blocking.run { () throws(Fault) in throw .broken }
            Issue.record("nothing was thrown")
        } catch {
            #expect(error == .broken)
        }
    }

    @Test("Many pieces of work wait at once, more than there are cooperative threads")
    func waiting() async {
        let count = 48
        let arrivals = Arrivals()
        let everybody = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<count {
                group.addTask {
                    await Blocking.run {
                        arrivals.arrive()
                        // Each waits for all: on a pool of as many threads as processors none would ever end.
                        for _ in 0..<600 where arrivals.count < count { sleepBriefly() }
                        return arrivals.count == count
                    }
                }
            }
            return await group.allSatisfy { $0 }
        }
        #expect(everybody)
    }

    @Test(
        "JSON comes back as it was, whatever its shape",
        arguments: [
            "null", "true", "-9223372036854775808", "18446744073709551615", "0.5", #""a\"/ü""#, "[1,[],{}]",
            #"{"a":[null,false,{"b":"c"}]}"#,
        ])
    func json(text: String) throws {
        #expect(try JSONValue.parse(text.utf8).text == text)
    }

    @Test("What is no JSON is an error", arguments: ["", "{", "nul", "{\"a\":}", "[1,]x"])
    func noJSON(text: String) {
        #expect(throws: (any Error).self) { try JSONValue.parse(text.utf8) }
    }

    @Test("A member is found by its name in an object, and nowhere else")
    func members() {
        let value: JSONValue = ["a": ["b": 1], "c": [true]]
        #expect(value["a"]?["b"]?.integer == 1)
        #expect(value["c"]?.array?.first?.bool == true)
        #expect(value["x"] == nil && value["c"]?["a"] == nil && value["a"]?.string == nil)
    }
}

private final class Arrivals: Sendable {
    private let arrived = Mutex(0)

    var count: Int { arrived.withLock { $0 } }

    func arrive() { arrived.withLock { $0 += 1 } }
}
