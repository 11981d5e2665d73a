enum SalvorAuditTestsPlaceholder {}
