import SalvorAzure
import SalvorJSON
import Testing

private let disk = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/disks/d"
private let v1 = APIVersion(rawValue: "1")
private let good = ScriptedTransport.Line.answer(200, [:], ["name": "d"])

/// A refusal, and whether the same call is sent again after it.
struct Repeated: Sendable, CustomTestStringConvertible {
    var status: Int
    var code: String
    var message = "Because."
    var again: Bool
    var neverAgain: Bool?

    var testDescription: String { "\(status) \(code): \(message)" }

    /// What is sent again although a second effect would be another one: only what is sure to have had no effect.
    var againWhereASecondCountsTwice: Bool { neverAgain ?? again }

    static let all = [
        Repeated(status: 429, code: "TooManyRequests", again: true),
        Repeated(
            status: 429, code: "OperationNotAllowed",
            message:
                "The server rejected the request because too many requests have been received for this subscription.",
            again: true),
        Repeated(status: 429, code: "OperationNotAllowed", message: "Quota of something.", again: false),
        Repeated(status: 409, code: "AttachDiskWhileBeingDetached", again: true),
        Repeated(status: 409, code: "AnotherOperationInProgress", again: true),
        Repeated(
            status: 409, code: "Conflict", message: "Run command extension execution is in progress.", again: true),
        Repeated(
            status: 409, code: "OperationNotAllowed", message: "Another operation on this resource is running.",
            again: true),
        Repeated(status: 409, code: "OperationNotAllowed", message: "Disk d is attached to VM x.", again: false),
        Repeated(
            status: 409, code: "OperationNotAllowed",
            message: "The maximum number of data disks allowed to be attached to a VM of this size is 4.", again: false),
        Repeated(status: 409, code: "OperationNotAllowed", message: "The VM is not running.", again: false),
        Repeated(
            status: 409, code: "OperationNotAllowed", message: "Operation could exceed approved cores quota.",
            again: false),
        Repeated(status: 409, code: "ConflictingUserInput", again: false),
        Repeated(status: 409, code: "SkuNotAvailable", again: false),
        Repeated(status: 409, code: "ScopeLocked", again: false),
        Repeated(status: 409, code: "ResourceGroupBeingDeleted", again: false),
        Repeated(status: 409, code: "PropertyChangeNotAllowed", again: false),
        Repeated(status: 409, code: "SomethingNew", again: false),
        Repeated(status: 403, code: "RequestDisallowedByPolicy", again: false),
        Repeated(status: 403, code: "AuthorizationFailed", again: false),
        Repeated(status: 400, code: "InvalidParameter", again: false),
        Repeated(status: 404, code: "ResourceNotFound", again: false),
        Repeated(status: 412, code: "PreconditionFailed", again: false),
        Repeated(status: 412, code: "ConflictingConcurrentWriteNotAllowed", again: false),
        Repeated(status: 408, code: "RequestTimeout", again: true),
        Repeated(status: 500, code: "InternalServerError", again: true, neverAgain: false),
        Repeated(status: 502, code: "BadGateway", again: true, neverAgain: false),
        Repeated(status: 503, code: "ServerBusy", again: true, neverAgain: false),
        Repeated(status: 504, code: "GatewayTimeout", again: true, neverAgain: false),
    ]
}

@Suite struct RepeatTests {
    @Test(arguments: Repeated.all, ["GET", "PUT", "PATCH", "POST", "DELETE"])
    func `what can pass by itself is tried again and nothing else`(refusal: Repeated, method: String) async throws {
        let answer = ScriptedTransport.Line.answer(refusal.status, [:], .refusal(refusal.code, refusal.message))
        for repeats in [ARMCall.Repeat.safe, .never] {
            let azure = ScriptedAzure(answer, good)
            let error = await failure { () throws(AzureError) in
                try await azure.arm.answer(ARMCall(method, disk, v1, body: [:], repeats: repeats))
            }
            let again = repeats == .safe ? refusal.again : refusal.againWhereASecondCountsTwice
            #expect((error == nil) == again)
            #expect(azure.transport.sent.count == (again ? 2 : 1))
            #expect(azure.time.pauses.isEmpty == !again)
            if let error {
                for part in [disk, refusal.code, "\(refusal.status)"] { #expect(error.message.contains(part)) }
                #expect(!error.nextStep.isEmpty)
            }
        }
    }

    @Test func `Azure's own pause is kept where it is longer than ours`() async throws {
        let azure = ScriptedAzure(
            .answer(429, ["Retry-After": "17"], .refusal("TooManyRequests")),
            .answer(503, ["Retry-After": "1"], .refusal("ServerBusy")), good)
        _ = try await azure.arm.get(disk, v1)
        #expect(azure.time.pauses == [.seconds(17), .seconds(2)])
    }

    @Test func `pauses grow and stay within 16 seconds`() async throws {
        let azure = ScriptedAzure(Array(repeating: .answer(503), count: 7) + [good])
        _ = try await azure.arm.get(disk, v1)
        #expect(azure.time.pauses == [1, 2, 4, 8, 16, 16, 16].map { .seconds($0) })
    }

    @Test(arguments: ["GET", "PUT", "PATCH", "POST", "DELETE"], [AzureError.Code.unreachable, .timedOut])
    func `a lost answer is asked for again only where a second effect is the same`(
        method: String, loss: AzureError.Code
    ) async throws {
        let safe = ScriptedAzure(.lost(loss), .lost(loss), good)
        _ = try await safe.arm.answer(ARMCall(method, disk, v1, body: [:]))
        #expect(safe.transport.sent.count == 3)
        let never = ScriptedAzure(.lost(loss), good)
        let error = await failure { () throws(AzureError) in
            try await never.arm.answer(ARMCall(method, disk, v1, body: [:], repeats: .never))
        }
        #expect(error?.code == loss)
        #expect(error?.message.contains("\(method) \(disk)") == true)
        #expect(never.transport.sent.count == 1)
    }

    @Test func `what the transport says of itself is not asked again`() async throws {
        let azure = ScriptedAzure(.lost(.badAnswer), good)
        let error = await failure { () throws(AzureError) in try await azure.arm.get(disk, v1) }
        #expect(error?.code == .badAnswer)
        #expect(azure.transport.sent.count == 1)
    }

    @Test func `a refused token is replaced once, without a pause`() async throws {
        let refused = ScriptedTransport.Line.answer(401, [:], .refusal("ExpiredAuthenticationToken"))
        let azure = ScriptedAzure(refused, good)
        _ = try await azure.arm.answer(ARMCall("POST", disk, v1, repeats: .never))
        let authorizations = azure.transport.sent.map { $0.headers.first { $0.name == "Authorization" }?.value }
        #expect(authorizations == ["Bearer secret-token-1", "Bearer secret-token-2"])
        #expect(azure.time.pauses.isEmpty)

        let twice = ScriptedAzure(refused, refused, good)
        let error = await failure { () throws(AzureError) in try await twice.arm.get(disk, v1) }
        #expect(error?.code == .notSignedIn)
        #expect(twice.transport.sent.count == 2)
    }

    @Test func `an If-Match goes with the call and its failure ends it`() async throws {
        let azure = ScriptedAzure(.answer(412, [:], .refusal("ETagMismatch")), good)
        let error = await failure { () throws(AzureError) in
            try await azure.arm.put(disk, v1, [:], ifMatch: "\"7\"")
        }
        #expect(error?.code == .conflict)
        #expect(azure.transport.sent.map { $0.headers.first { $0.name == "If-Match" }?.value } == ["\"7\""])
    }
}
