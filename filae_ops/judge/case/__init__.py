"""What one judgement looks at: the declared tree, the register, the evidence; and what it says."""
