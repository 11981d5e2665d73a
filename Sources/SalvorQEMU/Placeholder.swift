enum SalvorQEMUPlaceholder {}
