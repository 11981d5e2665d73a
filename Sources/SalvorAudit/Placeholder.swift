enum SalvorAuditPlaceholder {}
