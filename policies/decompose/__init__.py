"""政策拆解: from the text of a policy to items, each piece with its exact quote."""
